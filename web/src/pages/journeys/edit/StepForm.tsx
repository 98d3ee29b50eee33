// A step's fields. Each writes its place in the text and nothing else.
import { Trash2 } from 'lucide-react'
import type { Finding } from '../../../api/definitions.ts'
import { Button } from '../../../ui/Button.tsx'
import { Select } from '../../../ui/Select.tsx'
import styles from '../journeys.module.css'
import { nameOf, wayWords } from '../model/describe.ts'
import { type Definition, END, mapOf, type Step, type Way } from '../model/document.ts'
import { removeStep, rename, rewire, setField } from '../model/edit.ts'
import { SidePanel } from '../SidePanel.tsx'
import { useJourneyTexts } from '../texts.ts'
import { Content } from './Content.tsx'
import { Line } from './fields.tsx'
import type { Around } from './surroundings.ts'

export interface StepFormProps {
  text: string
  definition: Definition
  step: Step
  around: Around
  findings: readonly Finding[]
  onWrite: (text: string) => void
  onSelect: (id: string) => void
  onClose: () => void
}

export function StepForm(props: StepFormProps) {
  const { text, definition, step, around, findings, onWrite, onSelect, onClose } = props
  const t = useJourneyTexts()
  const set = (path: (string | number)[], value: unknown) => onWrite(setField(text, step.id, path, value))
  const end = endOf(step, definition)
  const mine = findings.filter((finding) => finding.line >= step.line && finding.line < end)
  const remove = () => {
    onWrite(removeStep(text, step.id))
    onClose()
  }
  return (
    <SidePanel
      title={nameOf(step)}
      above={t(`kind_${step.kind}`)}
      onClose={onClose}
      footer={
        <Button
          small
          look="danger"
          icon={<Trash2 />}
          onPress={remove}
          refused={definition.steps.length === 1 ? t('last_step') : null}
        >
          {t('remove_step')}
        </Button>
      }
    >
      {mine.map((finding, index) => (
        <p key={index} className={finding.severity === 'error' ? styles.formError : styles.formWarning}>
          {finding.message}
          {finding.help && <span className={styles.help}>{finding.help}</span>}
        </p>
      ))}
      <Content step={step} definition={definition} around={around} set={set} />
      <WaysForm {...props} />
      <div className={styles.section}>
        <Line
          label={t('step_title')}
          value={step.title ?? ''}
          placeholder={nameOf({ ...step, title: null })}
          onWrite={(title) => set(['title'], title)}
        />
        <Line
          label={t('step_id')}
          value={step.id}
          description={t('step_id_rule')}
          onWrite={(name) => {
            onWrite(rename(text, step.id, name))
            if (!definition.byId.has(name)) onSelect(name)
          }}
        />
      </div>
    </SidePanel>
  )
}

/** The line behind a step's last. */
function endOf(step: Step, definition: Definition): number {
  const next = definition.steps[definition.steps.indexOf(step) + 1]
  return next?.line ?? Number.POSITIVE_INFINITY
}

/** Where each way leads. */
function WaysForm({ text, definition, step, onWrite }: StepFormProps) {
  const t = useJourneyTexts()
  const ways = step.ways.filter((way) => way.kind !== 'branch')
  if (step.kind === 'end' || ways.length === 0) return null
  const targets = definition.steps.filter((each) => each.scope.list === step.scope.list && each !== step)
  const choices = [
    ...targets.map((target) => ({ value: target.id, label: nameOf(target), detail: t(`kind_${target.kind}`) })),
    { value: END, label: step.scope.parent ? t('end_of_branch') : t('end'), detail: '' },
  ]
  const named = (way: Way) => (way.to === step.scope.parent ? END : way.to)
  return (
    <div className={styles.section}>
      <h3>{t('ways_on')}</h3>
      {ways.map((way, index) => {
        const words = wayWords(way, t) || t('and_then')
        const known = choices.some((choice) => choice.value === named(way))
        return (
          <Select
            key={index}
            label={words}
            value={named(way)}
            onChange={(to) => onWrite(rewire(text, step.id, [way], to))}
            choices={known ? choices : [{ value: named(way), label: named(way), detail: t('unknown') }, ...choices]}
          />
        )
      })}
    </div>
  )
}

export const channelsOf = (step: Step): string[] => {
  const channels = mapOf(step.content).channels
  return Array.isArray(channels) ? channels.map(String) : []
}
