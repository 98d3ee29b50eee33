// What a question to the server looks like before, after, and when it failed.
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Problem } from '../api/client.ts'
import { Problem as ProblemView } from '../ui/Problem.tsx'
import { Skeleton } from '../ui/Skeleton.tsx'

interface LoadedProps<T> {
  query: UseQueryResult<T, Error>
  lines?: number
  children: (data: T) => ReactNode
}

export function Loaded<T>({ query, lines, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data)
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />
  return <Skeleton lines={lines} />
}

export function Failure({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const problem = error instanceof Problem ? error.body : { title: error.message }
  return <ProblemView problem={problem} onRetry={onRetry} />
}
