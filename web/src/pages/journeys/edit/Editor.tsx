// A journey edited as picture and text at the same time: one text, drawn as it is now, checked by the server.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { CircleAlert, CircleCheck, Redo2, TriangleAlert, Undo2 } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { post } from '../../../api/client.ts'
import type { Checked, Finding, Journey, Workspace } from '../../../api/definitions.ts'
import { useGet } from '../../../api/hooks.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { useRefusal } from '../../../app/may.ts'
import { useGo, useSearchParam } from '../../../app/url.ts'
import { Button } from '../../../ui/Button.tsx'
import { Code } from '../../../ui/Code.tsx'
import { join } from '../../../ui/class.ts'
import { Canvas, type Lit } from '../canvas/Canvas.tsx'
import { type Draft, dropDraft, isChanged, redoDraft, undoDraft, writeDraft } from '../drafts.ts'
import styles from '../journeys.module.css'
import { type Definition, readDefinition, type StepKind } from '../model/document.ts'
import { insert, rewire } from '../model/edit.ts'
import { type Arrow, type Coverage, draw, ENTRY, numbersFor } from '../model/graph.ts'
import { useJourneyTexts } from '../texts.ts'
import { Scenarios } from '../try/Scenarios.tsx'
import { Try } from '../try/Try.tsx'
import { HeadForm } from './HeadForm.tsx'
import { PlanDialog } from './PlanDialog.tsx'
import { StepForm } from './StepForm.tsx'
import { useSurroundings } from './surroundings.ts'

const CHECK_AFTER_MS = 350

interface EditorProps {
  name: string
  draft: Draft
  /** What is published, when it is. */
  journey: Journey | undefined
}

export function Editor({ name, draft, journey }: EditorProps) {
  const t = useJourneyTexts()
  const go = useGo()
  const workspace = useGet<Workspace>('/workspace')
  const [step, setStep] = useSearchParam('step')
  const [panel, setPanel] = useSearchParam('panel')
  const [line, setLine] = useState<number | null>(null)
  const [planning, setPlanning] = useState(false)
  const [lit, setLit] = useState<Lit | null>(null)
  const [coverage, setCoverage] = useState<ReadonlyMap<string, Coverage> | null>(null)
  const { definition, read } = useDrawn(draft.text)
  const drawing = useMemo(() => draw(definition), [definition])
  const numbers = useMemo(() => numbersFor(drawing, journey), [drawing, journey])
  const around = useSurroundings(name)
  const files = useMemo(
    () => ({ ...workspace.data?.files, [draft.file]: draft.text }),
    [workspace.data, draft.file, draft.text],
  )
  const check = useFindings(workspace.data, draft)
  const findings = check.data?.findings ?? []
  const here = useMemo(() => findings.filter((finding) => finding.file === draft.file), [findings, draft.file])
  const marks = useMemo(() => byStep(definition, here), [definition, here])
  const write = useCallback((text: string) => writeDraft(name, text, false), [name])

  const select = useCallback(
    (id: string | null) => {
      setPanel('')
      setStep(id ?? '')
      const chosen = id ? definition.byId.get(id) : undefined
      if (chosen) setLine(chosen.line)
    },
    [definition, setPanel, setStep],
  )
  const onInsert = useCallback(
    (arrow: Arrow, kind: StepKind) => {
      const made = insert(draft.text, arrow.from.replace(/^@join:/, ''), arrow.ways, kind, around)
      write(made.text)
      setPanel('')
      setStep(made.id)
    },
    [draft.text, around, write, setPanel, setStep],
  )
  const onRewire = useCallback(
    (arrow: Arrow, to: string) => {
      const target = to.startsWith('@stop') ? 'end' : to
      if (!target.startsWith('@')) write(rewire(draft.text, arrow.from.replace(/^@join:/, ''), arrow.ways, target))
    },
    [draft.text, write],
  )
  // A place in the text is a step on the canvas.
  const onLine = useCallback(
    (at: number) => {
      const found = definition.steps.findLast((each) => each.line <= at)
      const id = found?.id ?? (definition.steps.length > 0 ? ENTRY : '')
      if (id !== step && panel === '') setStep(id)
    },
    [definition, step, panel, setStep],
  )
  useUndoKeys(name)
  useEffect(() => {
    if (panel === '') setLit(null)
  }, [panel])

  const discard = () => {
    dropDraft(name)
    go(journey ? `/journeys/${encodeURIComponent(name)}` : '/journeys')
  }
  if (workspace.error) return <Failure error={workspace.error} onRetry={() => void workspace.refetch()} />
  const chosen = step ? definition.byId.get(step) : undefined
  return (
    <div className={styles.editor}>
      <Toolbar
        name={name}
        draft={draft}
        findings={check.data ? findings : null}
        onPlan={() => setPlanning(true)}
        onDiscard={discard}
      />
      <div className={join(styles.workbench, styles.editBench)}>
        <div className={styles.textPane}>
          <div className={styles.textScroll}>
            <Code
              label={t('text_of', { file: draft.file })}
              value={draft.text}
              onChange={(text) => writeDraft(name, text, true)}
              findings={here}
              line={line}
              onLine={onLine}
            />
          </div>
          <Findings findings={findings} file={draft.file} onOpen={(finding) => setLine(finding.line)} />
        </div>
        <div className={styles.stage}>
          <Canvas
            label={t('canvas_of', { journey: name })}
            definition={definition}
            numbers={numbers}
            selected={step || null}
            onSelect={select}
            lit={lit}
            coverage={coverage}
            findings={marks}
            onInsert={onInsert}
            onRewire={onRewire}
          />
          {read.broken && (
            <p className={styles.broken} role="status">
              {t('text_broken', { line: read.broken.line })}
            </p>
          )}
        </div>
        {panel === 'try' && (
          <Try journey={name} files={files} drawing={drawing} onLit={setLit} onClose={() => setPanel('')} />
        )}
        {panel === 'scenarios' && (
          <Scenarios
            journey={name}
            files={files}
            drawing={drawing}
            onLit={setLit}
            onCovered={setCoverage}
            onClose={() => setPanel('')}
          />
        )}
        {panel === '' && chosen && (
          <StepForm
            key={chosen.id}
            text={draft.text}
            definition={definition}
            step={chosen}
            around={around}
            findings={here}
            onWrite={write}
            onSelect={setStep}
            onClose={() => setStep('')}
          />
        )}
        {panel === '' && step === ENTRY && (
          <HeadForm text={draft.text} definition={definition} onWrite={write} onClose={() => setStep('')} />
        )}
      </div>
      {planning && workspace.data && (
        <PlanDialog
          name={name}
          draft={draft}
          workspace={workspace.data}
          onReload={() => workspace.refetch()}
          onClose={() => setPlanning(false)}
        />
      )}
    </div>
  )
}

/** The text as it is read now, and the last one that could be read, which is what is drawn. */
function useDrawn(text: string): { definition: Definition; read: Definition } {
  const read = useMemo(() => readDefinition(text), [text])
  const good = useRef(read)
  if (!read.broken) good.current = read
  return { definition: good.current, read }
}

/** The server's own findings about the workspace with this text in it, asked a moment after the last change. */
function useFindings(workspace: Workspace | undefined, draft: Draft) {
  const [text, setText] = useState(draft.text)
  useEffect(() => {
    const timer = setTimeout(() => setText(draft.text), CHECK_AFTER_MS)
    return () => clearTimeout(timer)
  }, [draft.text])
  return useQuery({
    queryKey: ['/workspace/check', workspace?.version, draft.file, text],
    queryFn: () => post<Checked>('/workspace/check', { files: { ...workspace?.files, [draft.file]: text } }),
    enabled: workspace !== undefined,
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  })
}

/** The worst finding of each step: the one whose lines it lies in. */
function byStep(definition: Definition, findings: readonly Finding[]): Map<string, 'error' | 'warning'> {
  const worst = new Map<string, 'error' | 'warning'>()
  for (const finding of findings) {
    const id = definition.steps.findLast((step) => step.line <= finding.line)?.id ?? ENTRY
    if (worst.get(id) !== 'error') worst.set(id, finding.severity)
  }
  return worst
}

function useUndoKeys(name: string) {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && /^(input|textarea)$/i.test(event.target.tagName)
      if (!(event.ctrlKey || event.metaKey) || typing || event.defaultPrevented) return
      if ((event.target as HTMLElement | null)?.shadowRoot) return
      if (event.key.toLowerCase() === 'z') {
        event.preventDefault()
        if (event.shiftKey) redoDraft(name)
        else undoDraft(name)
      }
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [name])
}

interface ToolbarProps {
  name: string
  draft: Draft
  findings: readonly Finding[] | null
  onPlan: () => void
  onDiscard: () => void
}

function Toolbar({ name, draft, findings, onPlan, onDiscard }: ToolbarProps) {
  const t = useJourneyTexts()
  const refusal = useRefusal()
  const errors = findings?.filter((finding) => finding.severity === 'error').length ?? 0
  const warnings = (findings?.length ?? 0) - errors
  const changed = isChanged(draft)
  const refused =
    refusal('workspace_write') ?? (changed ? null : t('nothing_changed')) ?? (errors > 0 ? t('repair_first') : null)
  return (
    <div className={styles.toolbar}>
      <Button
        small
        look="quiet"
        icon={<Undo2 />}
        aria-label={t('undo')}
        isDisabled={draft.past.length === 0}
        onPress={() => undoDraft(name)}
      />
      <Button
        small
        look="quiet"
        icon={<Redo2 />}
        aria-label={t('redo')}
        isDisabled={draft.future.length === 0}
        onPress={() => redoDraft(name)}
      />
      <span
        role="status"
        className={join(styles.verdict, errors > 0 ? styles.bad : warnings > 0 ? styles.warn : styles.good)}
      >
        {findings === null ? (
          t('checking')
        ) : errors > 0 ? (
          <>
            <CircleAlert aria-hidden /> {t('errors', { count: errors })}
          </>
        ) : warnings > 0 ? (
          <>
            <TriangleAlert aria-hidden /> {t('warnings', { count: warnings })}
          </>
        ) : (
          <>
            <CircleCheck aria-hidden /> {t('no_findings')}
          </>
        )}
      </span>
      <span className={styles.endings}>
        <Button small onPress={onDiscard}>
          {changed ? t('discard') : t('stop_editing')}
        </Button>
        <Button small look="primary" refused={refused} onPress={onPlan}>
          {t('review')}
        </Button>
      </span>
    </div>
  )
}

interface FindingsProps {
  findings: readonly Finding[]
  file: string
  onOpen: (finding: Finding) => void
}

function Findings({ findings, file, onOpen }: FindingsProps) {
  const t = useJourneyTexts()
  if (findings.length === 0) return null
  const sorted = [...findings].sort(
    (one, other) =>
      Number(other.severity === 'error') - Number(one.severity === 'error') ||
      Number(other.file === file) - Number(one.file === file) ||
      one.line - other.line,
  )
  return (
    <ul className={styles.findings} aria-label={t('findings')}>
      {sorted.map((finding, index) => (
        <li key={index}>
          <button
            type="button"
            className={styles.finding}
            disabled={finding.file !== file}
            onClick={() => onOpen(finding)}
          >
            {finding.severity === 'error' ? (
              <CircleAlert className={styles.bad} aria-label={t('error')} />
            ) : (
              <TriangleAlert className={styles.warn} aria-label={t('warning')} />
            )}
            <span className="grow">
              <span>{finding.message}</span>
              {finding.help && <span className={styles.help}>{finding.help}</span>}
            </span>
            <span className="muted num">
              {finding.file === file ? t('line', { number: finding.line }) : `${finding.file}:${finding.line}`}
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}
