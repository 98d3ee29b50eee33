// Fields of a step's form. What is typed is written when one leaves the field or presses Enter, so that the text
// does not change with every letter.
import { Plus, X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useState } from 'react'
import { Button } from '../../../ui/Button.tsx'
import { TextField } from '../../../ui/Field.tsx'
import { Select } from '../../../ui/Select.tsx'
import styles from '../journeys.module.css'
import { useJourneyTexts } from '../texts.ts'

interface LineProps {
  label: string
  value: string
  onWrite: (value: string) => void
  placeholder?: string
  description?: ReactNode
  error?: string
  lines?: number
  suggestions?: readonly string[]
}

export function Line({ label, value, onWrite, placeholder, description, error, lines }: LineProps) {
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped(value), [value])
  const done = () => {
    if (typed.trim() !== value) onWrite(typed.trim())
  }
  return (
    <TextField
      label={label}
      value={typed}
      onChange={setTyped}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && !lines) done()
      }}
      placeholder={placeholder}
      description={description}
      error={error}
      lines={lines}
    />
  )
}

/** One of those that exist; what the text names and nobody knows is kept as a choice. */
export function Known({
  label,
  value,
  known,
  onWrite,
}: {
  label: string
  value: string
  known: readonly string[]
  onWrite: (value: string) => void
}) {
  const all = value === '' || known.includes(value) ? known : [value, ...known]
  return (
    <Select
      label={label}
      value={value}
      onChange={onWrite}
      choices={all.map((name) => ({ value: name, label: name }))}
    />
  )
}

/** A list in an order that matters, as channels: take one in, take one out, move one up. */
export function Ordered({
  label,
  values,
  known,
  onWrite,
}: {
  label: string
  values: readonly string[]
  known: readonly string[]
  onWrite: (values: string[]) => void
}) {
  const t = useJourneyTexts()
  const id = useId()
  const rest = known.filter((name) => !values.includes(name))
  return (
    <div className={styles.ordered}>
      <span id={id} className={styles.fieldLabel}>
        {label}
      </span>
      <ul aria-labelledby={id} className={styles.chips}>
        {values.map((value, index) => (
          <li key={value} className={styles.chip}>
            {values.length > 1 && <span className="muted num">{index + 1}</span>}
            {index > 0 ? (
              <button
                type="button"
                title={t('move_first')}
                onClick={() => onWrite([value, ...values.filter((each) => each !== value)])}
              >
                {value}
              </button>
            ) : (
              <span>{value}</span>
            )}
            {values.length > 1 && (
              <button
                type="button"
                aria-label={t('take_out', { name: value })}
                onClick={() => onWrite(values.filter((each) => each !== value))}
              >
                <X aria-hidden />
              </button>
            )}
          </li>
        ))}
        {rest.map((name) => (
          <li key={name}>
            <button type="button" className={styles.chipAdd} onClick={() => onWrite([...values, name])}>
              <Plus aria-hidden /> {name}
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

export interface Pair {
  name: string
  value: string
}

/** Rows of a name and a value: traits, properties, arms. */
export function Pairs({
  label,
  rows,
  names,
  values,
  onWrite,
}: {
  label: string
  rows: readonly Pair[]
  names: string
  values: string
  onWrite: (rows: Pair[]) => void
}) {
  const t = useJourneyTexts()
  const [added, setAdded] = useState(false)
  const all = added ? [...rows, { name: '', value: '' }] : rows
  const write = (index: number, row: Pair) => {
    setAdded(false)
    onWrite(all.map((each, at) => (at === index ? row : each)).filter((each) => each.name !== ''))
  }
  return (
    <fieldset className={styles.pairs}>
      <legend className={styles.fieldLabel}>{label}</legend>
      {all.map((row, index) => (
        <div key={index} className={styles.pair}>
          <Line label={names} value={row.name} onWrite={(name) => write(index, { ...row, name })} />
          <Line
            label={values}
            value={row.value}
            onWrite={(value) => (row.name === '' ? undefined : write(index, { ...row, value }))}
          />
          <Button
            small
            look="quiet"
            icon={<X />}
            aria-label={t('take_out', { name: row.name })}
            onPress={() => {
              setAdded(false)
              onWrite(rows.filter((_, at) => at !== index))
            }}
          />
        </div>
      ))}
      <Button small icon={<Plus />} onPress={() => setAdded(true)} isDisabled={added}>
        {t('add_row')}
      </Button>
    </fieldset>
  )
}
