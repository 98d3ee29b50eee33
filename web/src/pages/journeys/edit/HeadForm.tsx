// What stands around the steps: title, purpose, how one gets in, what ends it.
import styles from '../journeys.module.css'
import type { Definition } from '../model/document.ts'
import { setHead } from '../model/edit.ts'
import { entryOf } from '../model/graph.ts'
import { SidePanel } from '../SidePanel.tsx'
import { useJourneyTexts } from '../texts.ts'
import { Line } from './fields.tsx'

interface HeadFormProps {
  text: string
  definition: Definition
  onWrite: (text: string) => void
  onClose: () => void
}

export function HeadForm({ text, definition, onWrite, onClose }: HeadFormProps) {
  const t = useJourneyTexts()
  const facts = entryOf(definition)
  const set = (path: (string | number)[], value: unknown) => onWrite(setHead(text, path, value))
  const entry = facts.entries[0]
  // One entry by an event is a form; several, or other kinds, are clearer as text.
  const simple = facts.entries.length === 1 && entry !== undefined && 'event' in entry
  const listed = Array.isArray(definition.doc.toJS()?.entry)
  const at = (key: string) => (listed ? ['entry', 0, key] : ['entry', key])
  return (
    <SidePanel title={facts.title ?? t('unnamed')} above={t('around_steps')} onClose={onClose}>
      <Line label={t('title')} value={facts.title ?? ''} onWrite={(value) => set(['title'], value)} />
      <Line
        label={t('purpose')}
        value={facts.purpose ?? ''}
        description={t('purpose_what')}
        onWrite={(value) => set(['purpose'], value)}
      />
      <div className={styles.section}>
        <h3>{t('kind_entry')}</h3>
        {simple ? (
          <>
            <Line label={t('event')} value={String(entry.event ?? '')} onWrite={(value) => set(at('event'), value)} />
            <Line
              label={t('only_if')}
              value={String(entry.where ?? '')}
              placeholder="event.properties.value >= 20.0"
              lines={2}
              onWrite={(value) => set(at('where'), value)}
            />
          </>
        ) : (
          <p className="soft">{t('entry_in_text')}</p>
        )}
        <Line
          label={t('once_per')}
          value={facts.key ?? ''}
          placeholder="event.properties.order_id"
          description={t('once_per_rule')}
          onWrite={(value) => set(['key'], value)}
        />
      </div>
      <div className={styles.section}>
        <h3>{t('goal')}</h3>
        <Line
          label={t('event')}
          value={String(facts.goal?.event ?? '')}
          placeholder="Order Completed"
          onWrite={(value) => set(value === '' ? ['goal'] : ['goal', 'event'], value)}
        />
        {facts.goal && (
          <Line
            label={t('within_time')}
            value={String(facts.goal.within ?? '')}
            placeholder="30d"
            onWrite={(value) => set(['goal', 'within'], value)}
          />
        )}
      </div>
    </SidePanel>
  )
}
