// State that belongs to the address: what is searched, filtered and open can be shared by copying the link.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

export type Search = Record<string, string>

/** Plain `?a=b`, readable and typed by hand; the router's own way is JSON. */
export const parseSearch = (text: string): Search => Object.fromEntries(new URLSearchParams(text))
export function stringifySearch(search: Record<string, unknown>): string {
  const kept = Object.entries(search).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString()
  return text ? `?${text}` : ''
}

/** A part of the address's query. Setting it to the value it has without one takes it out again. */
export function useSearchParam(name: string, otherwise = ''): [string, (value: string) => void] {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const set = useCallback(
    (value: string) => {
      void navigate({
        to: '.',
        replace: true,
        resetScroll: false,
        search: ((before: Search) => ({ ...before, [name]: value === otherwise ? undefined : value })) as never,
      })
    },
    [navigate, name, otherwise],
  )
  return [search[name] ?? otherwise, set]
}

/** A part of the path, as `id` of `/people/$id`. */
export function usePathParam(name: string): string {
  const params = useParams({ strict: false }) as Record<string, string | undefined>
  return params[name] ?? ''
}

/** Goes to an address of the console. */
export function useGo(): (href: string) => void {
  const navigate = useNavigate()
  return useCallback((href: string) => void navigate({ href }), [navigate])
}
