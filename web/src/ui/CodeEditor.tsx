// The code editor: CodeMirror with YAML, findings at their place, and Tab that leaves it.
// It lives in a shadow root: there its styles are adopted sheets, which a strict Content-Security-Policy allows.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { EditorState, type Text } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'
import styles from './Code.module.css'

/** A finding as the server says it: lines and columns from 1. */
export interface CodeFinding {
  severity: 'error' | 'warning'
  message: string
  help?: string | null
  line: number
  column: number
  end_line?: number | null
  end_column?: number | null
}

export interface CodeEditorProps {
  label: string
  value: string
  onChange?: (value: string) => void
  language?: 'yaml' | 'text'
  findings?: readonly CodeFinding[]
  /** The line to bring into sight, from 1. */
  line?: number | null
  /** The cursor came to another line by hand. */
  onLine?: (line: number) => void
}

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.keyword], color: 'var(--code-key)' },
  { tag: [tags.string, tags.content], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: [tags.comment, tags.meta], color: 'var(--code-comment)', fontStyle: 'italic' },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: 'var(--ink-faint)' },
])

const look = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'transparent', fontSize: '12.5px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6', fontVariantLigatures: 'none' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--ink-faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--ink) 4%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--link) 22%, transparent)',
  },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line)' },
  '.cm-tooltip': { borderRadius: '6px', fontFamily: 'var(--font)', maxWidth: '32rem' },
  '.cm-diagnostic': { padding: '6px 10px', whiteSpace: 'pre-wrap' },
  '.cm-textfield, .cm-button': {
    background: 'var(--surface)',
    color: 'var(--ink)',
    border: '1px solid var(--line-strong)',
  },
  '.cm-searchMatch': { backgroundColor: 'var(--warn-soft)' },
})

/** Where a finding lies in the text; a place that the text no longer has moves to its end. */
export function placeOf(finding: CodeFinding, text: Text): { from: number; to: number } {
  const offset = (line: number, column: number) => {
    const at = text.line(Math.max(1, Math.min(line, text.lines)))
    return Math.min(at.from + Math.max(0, column - 1), at.to)
  }
  const from = offset(finding.line, finding.column)
  const end = finding.end_line ? offset(finding.end_line, finding.end_column ?? 1) : from
  return { from, to: Math.max(end, Math.min(from + 1, text.length)) }
}

/** The part in which two texts differ: only that is exchanged, so that cursor, folds and scrolling stay. */
export function partThatDiffers(before: string, after: string): { from: number; to: number; insert: string } {
  const most = Math.min(before.length, after.length)
  let from = 0
  while (from < most && before[from] === after[from]) from++
  let same = 0
  while (same < most - from && before[before.length - 1 - same] === after[after.length - 1 - same]) same++
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) }
}

export default function CodeEditor(props: CodeEditorProps) {
  const { label, value, onChange, language = 'yaml', findings, line, onLine } = props
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const change = useRef(onChange)
  change.current = onChange
  const cursor = useRef(onLine)
  cursor.current = onLine
  const readOnly = onChange === undefined
  const first = useRef(value)
  first.current = value
  useEffect(() => {
    const element = host.current
    if (!element) return
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' })
    const editor = new EditorView({
      root,
      parent: root as unknown as Element,
      doc: first.current,
      extensions: [
        lineNumbers(),
        foldGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightSelectionMatches(),
        search({ top: true }),
        lintGutter(),
        syntaxHighlighting(colors),
        look,
        keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.lineWrapping,
        readOnly ? [EditorState.readOnly.of(true)] : highlightActiveLine(),
        language === 'yaml' ? yaml() : [],
        EditorView.updateListener.of((update) => {
          if (update.docChanged) change.current?.(update.state.doc.toString())
          const { doc, selection } = update.state
          const at = doc.lineAt(selection.main.head).number
          const before = update.startState.doc.lineAt(update.startState.selection.main.head).number
          if (update.selectionSet && at !== before && update.view.hasFocus) cursor.current?.(at)
        }),
      ],
    })
    view.current = editor
    return () => {
      editor.destroy()
      view.current = null
    }
  }, [label, language, readOnly])
  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === value) return
    editor.dispatch({ changes: partThatDiffers(editor.state.doc.toString(), value) })
  }, [value])
  useEffect(() => {
    const editor = view.current
    if (!editor) return
    const diagnostics = (findings ?? []).map(
      (finding): Diagnostic => ({
        ...placeOf(finding, editor.state.doc),
        severity: finding.severity,
        message: finding.help ? `${finding.message}\n${finding.help}` : finding.message,
      }),
    )
    editor.dispatch(setDiagnostics(editor.state, diagnostics))
  }, [findings])
  useEffect(() => {
    const editor = view.current
    if (!editor || !line || line > editor.state.doc.lines) return
    const at = editor.state.doc.line(line)
    editor.dispatch({
      selection: { anchor: at.from, head: at.to },
      effects: EditorView.scrollIntoView(at.from, { y: 'center' }),
    })
  }, [line])
  return <div ref={host} className={styles.editor} />
}
