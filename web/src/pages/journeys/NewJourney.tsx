// A new journey: what it is called and what it begins with. Nothing is published yet; it opens as a draft.
import { useState } from 'react'
import type { AudienceSummary, Template } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import { useGo } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { join } from '../../ui/class.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { TextField } from '../../ui/Field.tsx'
import { beginDraft } from './drafts.ts'
import styles from './journeys.module.css'
import { fill, nameFor, STARTERS, type StarterKey } from './starters.ts'
import { useJourneyTexts } from './texts.ts'

export function NewJourney({ taken, onClose }: { taken: readonly string[]; onClose: () => void }) {
  const t = useJourneyTexts()
  const go = useGo()
  const [title, setTitle] = useState('')
  const [key, setKey] = useState<StarterKey>('welcome')
  const templates = useList<Template>('/templates')
  const audiences = useList<AudienceSummary>('/audiences')
  const name = nameFor(title)
  const exists = taken.includes(name)
  const create = () => {
    const starter = STARTERS.find((each) => each.key === key)
    if (!starter || !name || exists) return
    const template = templates.items[0]?.template ?? 'hello'
    const audience = audiences.items[0]?.audience ?? 'quiet'
    beginDraft(name, `journeys/${name}.yaml`, fill(starter, { name, title: title.trim(), template, audience }), null)
    go(`/journeys/${name}?view=edit`)
    onClose()
  }
  return (
    <Dialog
      title={t('new_journey')}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button look="primary" onPress={create} isDisabled={!name || exists}>
            {t('open_draft')}
          </Button>
        </>
      }
    >
      <TextField
        label={t('new_title')}
        value={title}
        onChange={setTitle}
        autoFocus
        placeholder={t('new_title_example')}
        error={exists ? t('new_exists', { name }) : undefined}
        description={name ? t('new_file', { file: `journeys/${name}.yaml` }) : t('new_file_rule')}
        onKeyDown={(event) => event.key === 'Enter' && create()}
      />
      <div className={styles.starters} role="radiogroup" aria-label={t('begin_with')}>
        {STARTERS.map((starter) => (
          <label key={starter.key} className={join(styles.starter, key === starter.key && styles.starterOn)}>
            <input
              type="radio"
              name="starter"
              className="visually-hidden"
              checked={key === starter.key}
              onChange={() => setKey(starter.key)}
            />
            <b>{t(`starter_${starter.key}`)}</b>
            <span className="soft">{t(`starter_${starter.key}_text`)}</span>
          </label>
        ))}
      </div>
    </Dialog>
  )
}
