// Templates: which texts there are, and how each looks for a chosen person.
import { FileText } from 'lucide-react'
import type { Template } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import type { Message } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { PersonField } from '../../app/PersonField.tsx'
import { useSearchParam } from '../../app/url.ts'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Select } from '../../ui/Select.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import styles from './messages.module.css'
import { Preview } from './Preview.tsx'
import { useMessageTexts } from './texts.ts'

const EXAMPLE = `---
subject: "Welcome"
---
Hello {{ profile.traits.first_name | default("there") }},

good to have you here.
`

export function Templates() {
  const t = useMessageTexts()
  const names = useNames()
  const [chosen, setChosen] = useSearchParam('template')
  const [channel, setChannel] = useSearchParam('channel')
  const [language, setLanguage] = useSearchParam('language')
  const [profile, setProfile] = useSearchParam('profile')
  const list = useList<Template>('/templates')
  // Until one is chosen, the one that was written last: it is sure to have somebody to be shown with.
  const last = useList<Message>('/messages', {}, { limit: 1, enabled: chosen === '' })
  const wanted = chosen || last.items[0]?.template
  const template = list.items.find((each) => each.template === wanted) ?? list.items[0]
  // Templates speak of what led to them: somebody who got this one shows it best.
  const newest = useList<Message>(
    '/messages',
    { template: template?.template },
    { limit: 1, enabled: template !== undefined && profile === '' },
  )
  const person = profile || (newest.items[0]?.profile ?? '')
  if (list.error) return <Failure error={list.error} onRetry={list.retry} />
  if (list.loading || last.loading) return <Skeleton lines={6} />
  if (list.items.length === 0) {
    return (
      <Empty icon={<FileText />} title={t('no_templates')} snippet={EXAMPLE}>
        {t('no_templates_text')}
      </Empty>
    )
  }
  if (!template) return null
  const channels = [...new Set(template.variants.map((variant) => variant.channel))]
  const shown = channels.includes(channel) ? channel : (channels[0] ?? '')
  const languages = template.variants.filter((variant) => variant.channel === shown).map((variant) => variant.language)
  const spoken = languages.includes(language) ? language : (languages[0] ?? '')
  const file = template.variants.find((variant) => variant.channel === shown && variant.language === spoken)?.file
  return (
    <div className={styles.templates}>
      <Card flush title={t('view_templates')}>
        <ul className={styles.names}>
          {list.items.map((each) => (
            <li key={each.template}>
              <button
                type="button"
                className={join(styles.name, each === template && styles.nameOn)}
                aria-pressed={each === template}
                onClick={() => setChosen(each.template)}
              >
                <span className="clip">{each.template}</span>
                <span className="soft">{t('variants', { count: each.variants.length })}</span>
              </button>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={template.template} actions={file && <code className="muted">{file}</code>}>
        <div className="stack">
          <div className={styles.choices}>
            <Select
              label={t('channel')}
              value={shown}
              onChange={setChannel}
              choices={channels.map((each) => ({ value: each, label: names.channel(each) }))}
            />
            <Select
              label={t('language')}
              value={spoken}
              onChange={setLanguage}
              choices={languages.map((each) => ({ value: each, label: names.language(each) }))}
            />
            <PersonField label={t('for_person')} value={person} onChange={setProfile} />
          </div>
          {newest.loading ? (
            <Skeleton lines={6} />
          ) : (
            <Preview template={template.template} channel={shown} language={spoken} profile={person} />
          )}
        </div>
      </Card>
    </div>
  )
}
