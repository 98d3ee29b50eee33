// The one door to the server: JSON in and out, and every failure a Problem that says what to do.
// Signed in by the session cookie that the one-time link sets; nothing is kept in the browser.

import type { ProblemBody } from './types'

export class Problem extends Error {
  readonly body: ProblemBody
  constructor(body: ProblemBody) {
    super(body.detail ?? body.title)
    this.name = 'Problem'
    this.body = body
  }
  get status(): number {
    return this.body.status
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>

/** The path with its query; what is empty is left out, so that equal questions have equal addresses. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

/** Turns any answer that is not 2xx into a Problem, also when something in between answered. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('json')) {
    const body: unknown = await response.json().catch(() => null)
    if (typeof body === 'object' && body !== null && 'title' in body) {
      return new Problem({ ...(body as ProblemBody), status: response.status })
    }
  }
  return new Problem({ title: response.statusText || `HTTP ${response.status}`, status: response.status })
}

const TIMEOUT_MS = 30_000

async function call<T>(method: string, path: string, options: { query?: Query; body?: unknown; signal?: AbortSignal }) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  let response: Response
  try {
    response = await fetch(address(`/api/v1${path}`, options.query), {
      method,
      signal,
      credentials: 'same-origin',
      headers: options.body === undefined ? {} : { 'content-type': 'application/json' },
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new Problem({ title: 'unreachable', status: 0, code: 'unreachable' })
  }
  if (!response.ok) throw await problemOf(response)
  if (response.status === 204) return undefined as T
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) => call<T>('GET', path, { query, signal })
export const post = <T>(path: string, body: unknown = {}) => call<T>('POST', path, { body })
export const remove = <T = void>(path: string) => call<T>('DELETE', path, {})

/** One segment of a path, whatever it contains. */
export const segment = (text: string): string => encodeURIComponent(text)
