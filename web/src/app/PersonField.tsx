// One person, found by whatever is known of him. Gives his id, or `kind:value` as it was typed.
import { useState } from 'react'
import { ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from 'react-aria-components'
import { useGet } from '../api/hooks.ts'
import type { Page, Profile, ProfileSummary } from '../api/types.ts'
import styles from './PersonField.module.css'
import { useAppTexts } from './texts.ts'

interface PersonFieldProps {
  label: string
  value: string
  onChange: (profile: string) => void
  /** Without a visible label, as filters have it. */
  bare?: boolean
}

const FOUND_MAX = 8
const nameOf = (person: Pick<ProfileSummary, 'id' | 'name' | 'identifiers'>) =>
  person.name || person.identifiers[0]?.value || person.id

export function PersonField({ label, value, onChange, bare }: PersonFieldProps) {
  const t = useAppTexts()
  const [typed, setTyped] = useState<string | null>(null)
  const known = useGet<Profile>(`/profiles/${encodeURIComponent(value)}`, {}, { enabled: value !== '' })
  const chosen = value === '' ? '' : known.data ? nameOf(known.data) : value
  const text = typed ?? chosen
  const found = useGet<Page<ProfileSummary>>(
    '/profiles',
    { q: text, limit: FOUND_MAX },
    { enabled: typed !== null && text.length > 0 },
  )
  const people = typed === null ? [] : (found.data?.items ?? [])
  const leave = () => {
    if (typed === null) return
    const written = typed.trim()
    if (written === '' || /^(prf_|[a-z_]+:)/.test(written)) onChange(written)
    setTyped(null)
  }
  return (
    <ComboBox
      className={styles.field}
      items={people}
      inputValue={text}
      onInputChange={(to) => to !== chosen && setTyped(to)}
      onSelectionChange={(key) => {
        if (key === null) return
        onChange(String(key))
        setTyped(null)
      }}
      onBlur={leave}
      allowsCustomValue
      menuTrigger="input"
    >
      <Label className={bare ? 'visually-hidden' : styles.label}>{label}</Label>
      <Input
        className={styles.input}
        placeholder={t('find_person_example')}
        onKeyDown={(event) => {
          if (event.key === 'Enter') leave()
        }}
      />
      <Popover className={styles.popover}>
        <ListBox<ProfileSummary> className={styles.list}>
          {(person) => (
            <ListBoxItem id={person.id} textValue={nameOf(person)} className={styles.item}>
              <b>{nameOf(person)}</b>
              <span className="muted clip">{person.identifiers.map((each) => each.value).join(' · ')}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  )
}
