// One of few.
import { Check, ChevronDown } from 'lucide-react'
import {
  Button as AriaButton,
  Select as AriaSelect,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
} from 'react-aria-components'
import styles from './Select.module.css'

export interface Choice<V extends string = string> {
  value: V
  label: string
  detail?: string
}

interface SelectProps<V extends string> {
  label: string
  choices: readonly Choice<V>[]
  value: V
  onChange: (value: V) => void
  /** The label before the value in one line, as filters have it; above it otherwise. */
  inline?: boolean
  isDisabled?: boolean
}

export function Select<V extends string>({ label, choices, value, onChange, inline, isDisabled }: SelectProps<V>) {
  return (
    <AriaSelect
      value={value}
      onChange={(key) => onChange(key as V)}
      isDisabled={isDisabled}
      className={inline ? styles.inline : styles.field}
    >
      {!inline && <Label className={styles.label}>{label}</Label>}
      <AriaButton className={styles.button} aria-label={inline ? label : undefined}>
        <SelectValue className={styles.value}>
          {({ defaultChildren }) => (
            <>
              {inline && <span className={styles.prefix}>{label} </span>}
              {defaultChildren}
            </>
          )}
        </SelectValue>
        <ChevronDown aria-hidden />
      </AriaButton>
      <Popover className={styles.popover}>
        <ListBox
          className={styles.list}
          aria-label={label}
          items={choices.map((choice) => ({ ...choice, id: choice.value }))}
        >
          {(choice) => (
            <ListBoxItem textValue={choice.label} className={styles.item}>
              {({ isSelected }) => (
                <>
                  <span className={styles.check}>{isSelected && <Check aria-hidden />}</span>
                  <span>{choice.label}</span>
                  {choice.detail && <span className="muted">{choice.detail}</span>}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  )
}
