// The API in React: one object, or a list that grows page by page. The cache key is the address itself.

import { type UseQueryResult, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { get, type Query } from './client'
import type { Me, Page } from './types'

interface Options {
  /** Ask again after this many milliseconds. */
  every?: number
  /** What came is good for so many milliseconds. */
  fresh?: number
  /** False: do not ask yet. */
  enabled?: boolean
}

export function useGet<T>(path: string, query: Query = {}, options: Options = {}): UseQueryResult<T, Error> {
  return useQuery<T, Error>({
    queryKey: [path, query],
    queryFn: ({ signal }) => get<T>(path, query, signal),
    refetchInterval: options.every ?? false,
    enabled: options.enabled ?? true,
    ...(options.fresh !== undefined && { staleTime: options.fresh }),
  })
}

export interface List<T> {
  items: T[]
  /** Nothing came yet. */
  loading: boolean
  error: Error | null
  more: boolean
  /** Fetches the next page; does nothing while one is under way or when there is none. */
  loadMore: () => void
  retry: () => void
}

export function useList<T>(path: string, query: Query = {}, options: Options & { limit?: number } = {}): List<T> {
  const answer = useInfiniteQuery({
    queryKey: [path, 'list', query],
    queryFn: ({ signal, pageParam }) =>
      get<Page<T>>(path, { ...query, limit: options.limit ?? 100, page_token: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_page_token,
    placeholderData: (before) => before,
    // A long list would be fetched again page by page.
    refetchOnWindowFocus: false,
    refetchInterval: options.every ?? false,
    enabled: options.enabled ?? true,
  })
  const items = useMemo(() => answer.data?.pages.flatMap((page) => page.items) ?? [], [answer.data])
  // Pages can be empty where the server looks through much to find little: there is nothing only when none is left.
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = answer
  const searching = items.length === 0 && hasNextPage && !isError
  useEffect(() => {
    if (searching && !isFetchingNextPage) void fetchNextPage()
  }, [searching, isFetchingNextPage, fetchNextPage])
  return {
    items,
    loading: answer.isLoading || searching,
    error: answer.error,
    more: answer.hasNextPage,
    loadMore: () => {
      if (answer.hasNextPage && !answer.isFetchingNextPage) void answer.fetchNextPage()
    },
    retry: () => void answer.refetch(),
  }
}

/** Who is signed in. The shell asks first and shows nothing else before it is answered. */
export function useMe(): Me | undefined {
  return useQuery<Me>({ queryKey: ['/me', {}], queryFn: ({ signal }) => get<Me>('/me', {}, signal), staleTime: 60_000 })
    .data
}
