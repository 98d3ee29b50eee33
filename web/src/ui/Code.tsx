// Code, read or written. The editor comes only when one is shown.
import { lazy, Suspense } from 'react'
import type { CodeEditorProps } from './CodeEditor.tsx'
import { Skeleton } from './Skeleton.tsx'

const CodeEditor = lazy(() => import('./CodeEditor.tsx'))

export type { CodeFinding } from './CodeEditor.tsx'

export function Code(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Skeleton lines={6} />}>
      <CodeEditor {...props} />
    </Suspense>
  )
}
