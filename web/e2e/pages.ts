// Every page of the console, as the tests and the pictures visit them. What needs an id takes one from the server.
import type { Locator, Page } from 'playwright-core'
import { ask } from './browser.ts'

export interface Visit {
  name: string
  href: string
}

interface Listed {
  items: Record<string, unknown>[]
}

async function first(page: Page, path: string, field: string): Promise<string | undefined> {
  const list = await ask<Listed>(page, path)
  const value = list.items[0]?.[field]
  return typeof value === 'string' ? encodeURIComponent(value) : undefined
}

/** Somebody with much to show: the receiver of the newest message, else the first person. */
export async function somebody(page: Page): Promise<string | undefined> {
  return (await first(page, '/messages?limit=1', 'profile')) ?? (await first(page, '/profiles?limit=1', 'id'))
}

/** The journey that most people entered. */
async function liveliest(page: Page): Promise<string | undefined> {
  const { items } = await ask<{ items: { journey: string; entered: number }[] }>(page, '/journeys')
  return items.toSorted((one, other) => other.entered - one.entered)[0]?.journey
}

export async function visits(page: Page): Promise<Visit[]> {
  const person = await somebody(page)
  const message = await first(page, '/messages?limit=1', 'id')
  const silent = await first(page, '/messages?state=suppressed&limit=1', 'id')
  const journey = process.env.JOURNEY ?? (await liveliest(page))
  const audience = await first(page, '/audiences', 'audience')
  const all: (Visit | undefined)[] = [
    { name: 'today', href: '/' },
    { name: 'people', href: '/people' },
    person ? { name: 'person', href: `/people/${person}` } : undefined,
    person ? { name: 'person-messages', href: `/people/${person}?tab=messages` } : undefined,
    person ? { name: 'person-journeys', href: `/people/${person}?tab=journeys` } : undefined,
    person ? { name: 'person-consent', href: `/people/${person}?tab=consent` } : undefined,
    person ? { name: 'person-identity', href: `/people/${person}?tab=identity` } : undefined,
    { name: 'journeys', href: '/journeys' },
    journey ? { name: 'journey', href: `/journeys/${journey}` } : undefined,
    journey ? { name: 'journey-step', href: `/journeys/${journey}?step=%40entry` } : undefined,
    journey ? { name: 'journey-edit', href: `/journeys/${journey}?view=edit&step=%40entry` } : undefined,
    journey ? { name: 'journey-try', href: `/journeys/${journey}?panel=try` } : undefined,
    journey ? { name: 'journey-scenarios', href: `/journeys/${journey}?panel=scenarios` } : undefined,
    journey ? { name: 'journey-versions', href: `/journeys/${journey}?view=versions` } : undefined,
    { name: 'audiences', href: '/audiences' },
    audience ? { name: 'audience', href: `/audiences/${audience}` } : undefined,
    audience ? { name: 'audience-changes', href: `/audiences/${audience}?view=changes` } : undefined,
    audience ? { name: 'audience-definition', href: `/audiences/${audience}?view=definition` } : undefined,
    { name: 'messages', href: '/messages' },
    { name: 'messages-delivery', href: '/messages?view=delivery' },
    { name: 'messages-templates', href: '/messages?view=templates' },
    message ? { name: 'message', href: `/messages/${message}` } : undefined,
    { name: 'policies', href: '/policies' },
    { name: 'policies-check', href: `/policies?view=check&profile=${person ?? ''}` },
    { name: 'policies-consents', href: '/policies?view=consents' },
    { name: 'sources', href: '/sources' },
    { name: 'sources-refused', href: '/sources?view=dead_letters' },
    { name: 'sources-channels', href: '/sources?view=channels' },
    { name: 'explain', href: '/explain' },
    silent ? { name: 'decision', href: `/explain/${silent}` } : undefined,
    { name: 'settings', href: '/settings' },
    { name: 'settings-roles', href: '/settings?tab=roles' },
    { name: 'settings-audit', href: '/settings?tab=audit' },
  ]
  return all.filter((visit) => visit !== undefined)
}

/** A button by its name, English or German. */
const button = (page: Page, name: RegExp): Locator => page.getByRole('button', { name }).first()

export interface Opened {
  name: string
  href: (person: string) => string
  press: (page: Page) => Promise<void>
}

/** What opens over a page: the page, and how one comes to it. */
export const OPENED: readonly Opened[] = [
  { name: 'keyboard', href: () => '/', press: (page) => page.keyboard.press('?') },
  {
    name: 'palette',
    href: () => '/',
    press: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('dialog').getByRole('combobox').fill('anna')
      await page.getByRole('option', { name: /anna/i }).first().waitFor()
    },
  },
  {
    name: 'record-consent',
    href: (person) => `/people/${person}?tab=consent`,
    press: (page) => button(page, /^(Record consent|Einwilligung eintragen)/).click(),
  },
  {
    name: 'new-journey',
    href: () => '/journeys',
    press: (page) => button(page, /^(New journey|Neue Journey)/).click(),
  },
  {
    name: 'move-people',
    href: () => '/journeys/cart_recovery?view=versions',
    press: (page) => button(page, /^(Move people|Menschen umziehen)/).click(),
  },
  { name: 'test-message', href: () => '/sources?view=channels&test=sms', press: () => Promise.resolve() },
  { name: 'new-key', href: () => '/settings', press: (page) => button(page, /^(New key|Neuer Schlüssel)/).click() },
  { name: 'remove-key', href: () => '/settings', press: (page) => button(page, /^(Remove|Entfernen)/).click() },
  {
    name: 'plan',
    href: () => '/journeys/cart_recovery?view=edit&step=%40entry',
    press: async (page) => {
      const title = page.getByLabel(/^(Title|Titel)$/)
      await title.fill('Another title')
      await title.press('Enter')
      await button(page, /^(Review and publish|Ansehen und veröffentlichen)/).click()
      await page.getByText('+title: Another title').waitFor()
    },
  },
]
