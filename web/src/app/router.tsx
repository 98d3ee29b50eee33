// Which page stands at which address. Every page is a chunk of its own, fetched when it is opened.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import { Broken, NotFound } from './Failed.tsx'
import { Shell } from './Shell.tsx'
import { parseSearch, stringifySearch } from './url.ts'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

const loads: (() => Promise<unknown>)[] = []
function page(path: string, load: () => Promise<{ default: ComponentType }>) {
  loads.push(load)
  return createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) })
}

/** Fetches the other pages while nobody waits, so that going to one is instant. */
export function fetchPagesInIdleTime() {
  const rest = [...loads]
  const next = () => {
    // A chunk that cannot be had now is asked for again when its page is opened.
    void rest
      .shift()?.()
      .catch(() => undefined)
    if (rest.length > 0) whenIdle(next)
  }
  whenIdle(next)
}

const IDLE_MS_MAX = 4_000
const whenIdle = (work: () => void) =>
  'requestIdleCallback' in window
    ? window.requestIdleCallback(work, { timeout: IDLE_MS_MAX })
    : setTimeout(work, IDLE_MS_MAX)

const routes = root.addChildren([
  page('/', () => import('../pages/today/index.tsx')),
  page('/people', () => import('../pages/people/index.tsx')),
  page('/people/$id', () => import('../pages/people/person.tsx')),
  page('/journeys', () => import('../pages/journeys/index.tsx')),
  page('/journeys/$journey', () => import('../pages/journeys/journey.tsx')),
  page('/audiences', () => import('../pages/audiences/index.tsx')),
  page('/audiences/$audience', () => import('../pages/audiences/audience.tsx')),
  page('/messages', () => import('../pages/messages/index.tsx')),
  page('/messages/$id', () => import('../pages/messages/message.tsx')),
  page('/policies', () => import('../pages/policies/index.tsx')),
  page('/sources', () => import('../pages/sources/index.tsx')),
  page('/explain', () => import('../pages/explain/index.tsx')),
  page('/explain/$id', () => import('../pages/explain/decision.tsx')),
  page('/settings', () => import('../pages/settings/index.tsx')),
])

export const router = createRouter({
  routeTree: routes,
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
  defaultErrorComponent: Broken,
})
