// Who somebody is: what he told, what was computed, where he belongs. Beside the tabs; folded on narrow screens.
import { ChevronRight } from 'lucide-react'
import type { Profile } from '../../api/types.ts'
import { useNames } from '../../app/names.ts'
import { Card, FactRow, Facts } from '../../ui/Card.tsx'
import { Id } from '../../ui/Copy.tsx'
import { Link } from '../../ui/Link.tsx'
import { Badge } from '../../ui/State.tsx'
import { Time } from '../../ui/Time.tsx'
import { Value } from '../../ui/Value.tsx'
import styles from './people.module.css'
import { useTexts } from './texts.ts'

const NARROW = '(max-width: 1100px)'

export function About({ person }: { person: Profile }) {
  const t = useTexts()
  const names = useNames()
  return (
    <details className={styles.about} open={!window.matchMedia(NARROW).matches}>
      <summary>
        <ChevronRight aria-hidden />
        {t('facts')}
      </summary>
      <div className="stack">
        <Card title={t('facts')}>
          <Facts>
            <FactRow name={t('id')}>
              <Id>{person.id}</Id>
            </FactRow>
            <FactRow name={t('country')}>
              <Value value={person.country && names.country(person.country)} />
            </FactRow>
            <FactRow name={t('language')}>
              <Value value={person.language && names.language(person.language)} />
            </FactRow>
            <FactRow name={t('time_zone')}>
              <Value value={person.time_zone} />
            </FactRow>
            <FactRow name={t('preferred_channel')}>
              <Value value={person.preferred_channel && names.channel(person.preferred_channel)} />
            </FactRow>
            <FactRow name={t('first_seen')}>
              <Time at={person.created_at} show="date" />
            </FactRow>
          </Facts>
          {person.preferences_url && (
            <p className={styles.preferences}>
              <a href={person.preferences_url} target="_blank" rel="noreferrer">
                {t('preferences')}
              </a>
            </p>
          )}
        </Card>
        <Card title={t('audiences')}>
          {person.audiences.length === 0 && <p className="muted">{t('no_audiences')}</p>}
          <ul className={styles.badges}>
            {person.audiences.map((audience) => (
              <li key={audience.audience}>
                <Link href={`/audiences/${encodeURIComponent(audience.audience)}`}>
                  <Badge tone="info">{audience.title || audience.audience}</Badge>
                </Link>{' '}
                <span className="muted">
                  <Time at={audience.since} />
                </span>
              </li>
            ))}
          </ul>
        </Card>
        <Traits title={t('computed')} traits={person.computed_traits} />
        <Traits title={t('traits')} traits={person.traits} details={person.trait_details} none={t('no_traits')} />
      </div>
    </details>
  )
}

interface TraitsProps {
  title: string
  traits: Profile['traits']
  details?: Profile['trait_details']
  none?: string
}

function Traits({ title, traits, details = [], none }: TraitsProps) {
  const names = Object.keys(traits).sort()
  if (names.length === 0 && !none) return null
  return (
    <Card title={title}>
      {names.length === 0 && <p className="muted">{none}</p>}
      <Facts>
        {names.map((name) => {
          const detail = details.find((each) => each.name === name)
          return (
            <FactRow key={name} name={name}>
              <Value value={traits[name]} />{' '}
              {detail && (
                <span className={styles.when}>
                  <Time at={detail.at} />
                </span>
              )}
            </FactRow>
          )
        })}
      </Facts>
    </Card>
  )
}
