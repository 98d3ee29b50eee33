// Ctrl-K: one field for people, ids and pages. Arrows choose, Enter opens, all without the mouse.
import { BookOpenCheck, CornerDownLeft, Search, UserRound } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useDeferredValue, useEffect, useId, useState } from 'react'
import { Dialog, Modal, ModalOverlay } from 'react-aria-components'
import { useGet } from '../api/hooks.ts'
import type { Page, ProfileSummary } from '../api/types.ts'
import { join } from '../ui/class.ts'
import styles from './Palette.module.css'
import { hrefOfId, isId, PLACES } from './places.ts'
import { useAppTexts } from './texts.ts'
import { useGo } from './url.ts'

const PEOPLE_MAX = 8

interface Hit {
  href: string
  icon: ReactNode
  text: string
  detail?: string
  group: string
}

export default function Palette({ onClose }: { onClose: () => void }) {
  const t = useAppTexts()
  const go = useGo()
  const id = useId()
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const { hits, asking } = useHits(useDeferredValue(text.trim()))
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question starts at its first answer
  useEffect(() => setChosen(0), [text])
  const current = Math.min(chosen, hits.length - 1)
  const open = (hit: Hit | undefined) => {
    if (!hit) return
    onClose()
    go(hit.href)
  }
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0 && hits.length > 0) setChosen((current + step + hits.length) % hits.length)
    else if (event.key === 'Enter') open(hits[current])
    else return
    event.preventDefault()
  }
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(stays) => !stays && onClose()} className={styles.overlay}>
      <Modal className={styles.modal}>
        <Dialog aria-label={t('find_label')} className={styles.dialog}>
          <div className={styles.field}>
            <Search aria-hidden />
            <input
              autoFocus
              role="combobox"
              aria-label={t('find_label')}
              aria-expanded={hits.length > 0}
              aria-controls={`${id}-hits`}
              aria-activedescendant={hits.length > 0 ? `${id}-${current}` : undefined}
              aria-autocomplete="list"
              autoComplete="off"
              spellCheck={false}
              placeholder={t('find_label')}
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={press}
            />
          </div>
          <div role="listbox" id={`${id}-hits`} aria-label={t('find_label')} className={styles.hits}>
            {hits.map((hit, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys
              <div
                key={hit.href}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === current}
                ref={(element) => {
                  if (index === current) element?.scrollIntoView({ block: 'nearest' })
                }}
                className={join(styles.hit, index === current && styles.chosen)}
                onClick={() => open(hit)}
                onMouseMove={() => setChosen(index)}
              >
                {hit.icon}
                <span className="clip">{hit.text}</span>
                {hit.detail && <span className={join('clip', 'muted', styles.detail)}>{hit.detail}</span>}
                <span className={styles.group}>{hits[index - 1]?.group === hit.group ? '' : hit.group}</span>
                {index === current && <CornerDownLeft aria-hidden />}
              </div>
            ))}
          </div>
          {text !== '' && hits.length === 0 && !asking && <p className={styles.nothing}>{t('find_nothing')}</p>}
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

/** Who has exactly this identifier stands before those where it only begins so. */
function exactFirst(people: readonly ProfileSummary[], text: string): ProfileSummary[] {
  const is = (person: ProfileSummary) => person.identifiers.some((identifier) => identifier.value === text)
  return [...people].sort((one, other) => Number(is(other)) - Number(is(one)))
}

/** What tells him from others of that name: by what he was found, unless that is the name, and what he is known by. */
function detailOf(person: ProfileSummary): string {
  const known = person.identifiers.slice(person.name ? 0 : 1).map((identifier) => identifier.value)
  const found = person.matched ?? ''
  const said = (text: string) => text.toLowerCase().includes(found.toLowerCase())
  return [...(found && !said(`${person.name} ${known.join(' ')}`) ? [found] : []), ...known.toReversed()].join(' · ')
}

/** Ids first, then people, then pages; with nothing typed, the pages. */
function useHits(text: string): { hits: Hit[]; asking: boolean } {
  const t = useAppTexts()
  const people = useGet<Page<ProfileSummary>>('/profiles', { q: text, limit: PEOPLE_MAX }, { enabled: text.length > 1 })
  const hits: Hit[] = []
  if (isId(text)) {
    const person = text.startsWith('prf_')
    hits.push({
      href: hrefOfId(text.trim()),
      icon: person ? <UserRound aria-hidden /> : <BookOpenCheck aria-hidden />,
      text: person ? t('find_open_person') : t('find_open_explain'),
      detail: text,
      group: t('find_ids'),
    })
  }
  for (const person of text.length > 1 ? exactFirst(people.data?.items ?? [], text) : []) {
    hits.push({
      href: `/people/${encodeURIComponent(person.id)}`,
      icon: <UserRound aria-hidden />,
      text: person.name || person.identifiers[0]?.value || person.id,
      detail: detailOf(person),
      group: t('find_people'),
    })
  }
  const wanted = text.toLowerCase()
  for (const place of PLACES) {
    const name = t(place.key)
    if (wanted !== '' && !name.toLowerCase().includes(wanted)) continue
    hits.push({ href: place.href, icon: <place.icon aria-hidden />, text: name, group: t('find_pages') })
  }
  return { hits, asking: people.isFetching }
}
