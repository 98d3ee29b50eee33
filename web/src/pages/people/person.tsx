// The person: who he is, and everything that was said and done, on one page.

import { segment } from '../../api/client.ts'
import { useGet } from '../../api/hooks.ts'
import type { Profile } from '../../api/types.ts'
import { Loaded } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Page } from '../../app/Page.tsx'
import { usePathParam, useSearchParam } from '../../app/url.ts'
import { Link } from '../../ui/Link.tsx'
import { Tabs } from '../../ui/Tabs.tsx'
import { Time } from '../../ui/Time.tsx'
import { About } from './About.tsx'
import { Avatar } from './Avatar.tsx'
import { Consents } from './Consents.tsx'
import { Enrollments } from './Enrollments.tsx'
import { Identity } from './Identity.tsx'
import styles from './people.module.css'
import { Thread } from './Thread.tsx'
import { Timeline, useTimeline } from './Timeline.tsx'
import { useTexts } from './texts.ts'

export default function Person() {
  const id = usePathParam('id')
  const person = useGet<Profile>(`/profiles/${segment(id)}`)
  const t = useTexts()
  // Together with the person, not after him.
  const [tab] = useSearchParam('tab', 'timeline')
  useTimeline(id, tab === 'timeline' && id.startsWith('prf_'))
  if (!person.data) {
    return (
      <Page title={id} above={<Link href="/people">{t('back')}</Link>}>
        <Loaded query={person}>{() => null}</Loaded>
      </Page>
    )
  }
  return <Known person={person.data} />
}

function Known({ person }: { person: Profile }) {
  const t = useTexts()
  const names = useNames()
  const [tab, setTab] = useSearchParam('tab', 'timeline')
  const name = person.name || person.identifiers[0]?.value || person.id
  const running = person.enrollments.filter((enrollment) => enrollment.state !== 'ended').length
  return (
    <Page
      title={name}
      above={<Link href="/people">{t('back')}</Link>}
      heading={
        <span className={styles.heading}>
          <Avatar name={person.name} id={person.id} large />
          <span className={styles.headingName}>{name}</span>
        </span>
      }
      description={
        <span className={styles.under}>
          {person.identifiers.slice(0, 3).map((identifier) => (
            <span key={`${identifier.kind} ${identifier.value}`}>{names.address(identifier.value)}</span>
          ))}
          <span className="muted">
            {t('last_seen')} <Time at={person.last_seen_at} />
          </span>
        </span>
      }
    >
      <div className={styles.person}>
        <About person={person} />
        <Tabs
          label={t('tabs')}
          chosen={tab}
          onChoose={setTab}
          views={[
            { key: 'timeline', label: t('timeline'), content: <Timeline person={person.id} /> },
            { key: 'messages', label: t('messages'), content: <Thread person={person} /> },
            {
              key: 'journeys',
              label: t('journeys'),
              count: running,
              content: <Enrollments enrollments={person.enrollments} />,
            },
            { key: 'consent', label: t('consent'), content: <Consents person={person} /> },
            { key: 'identity', label: t('identity'), content: <Identity person={person} /> },
          ]}
        />
      </div>
    </Page>
  )
}
