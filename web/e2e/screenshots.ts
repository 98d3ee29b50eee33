// Pictures of every page and every dialog, of what stands there when something is missing, and of a decision on paper: wide and narrow, light and dark, English and German. SHOTS names the folder; ONLY a page
// and LOOK a look, where not all are wanted.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, open, settled } from './browser.ts'
import { OPENED, somebody, visits } from './pages.ts'

const FOLDER = process.env.SHOTS ?? ''
const LOOKS = [
  { size: 'wide', width: 1440, height: 900 },
  { size: 'narrow', width: 390, height: 844 },
]
  .flatMap((size) =>
    (['light', 'dark'] as const).flatMap((theme) =>
      (['en', 'de'] as const).map((language) => ({ ...size, theme, language })),
    ),
  )
  .filter((look) => !process.env.LOOK || process.env.LOOK === `${look.size}-${look.theme}-${look.language}`)
/** Charts and layouts come to rest. */
const REST_MS = 700

const answer = (status: number, body: object) => (page: Page) =>
  page.route('**/api/v1/**', (route) =>
    /\/(me|stream|overview)\b/.test(route.request().url())
      ? route.fallback()
      : route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ status, ...body }) }),
  )

/** What nobody hopes to see: lists without anything, the server gone, no right to it, nobody signed in. */
const AMISS: readonly { name: string; href: string; before?: (page: Page) => Promise<unknown> }[] = [
  ...['people', 'journeys', 'audiences', 'messages', 'policies?view=consents', 'sources', 'settings?tab=audit'].map(
    (path) => ({
      name: `amiss-empty-${path.replace(/\?.*/, '')}`,
      href: `/${path}`,
      before: answer(200, { items: [], next_page_token: null, intact: true, broken_at: null }),
    }),
  ),
  { name: 'amiss-unknown-person', href: '/people/prf_zzzzz' },
  { name: 'amiss-no-page', href: '/nothing/here' },
  { name: 'amiss-lost', href: '/', before: (page) => page.route('**/api/v1/stream', (route) => route.abort()) },
  {
    name: 'amiss-gone',
    href: '/people',
    before: (page) => page.route('**/api/v1/profiles*', (route) => route.abort()),
  },
  {
    name: 'amiss-forbidden',
    href: '/settings',
    before: answer(403, { title: 'forbidden', code: 'forbidden', detail: 'the key lacks the scope `admin`' }),
  },
  { name: 'amiss-loading', href: '/journeys', before: (page) => page.route('**/api/v1/journeys*', () => undefined) },
  {
    name: 'amiss-sign-in',
    href: '/',
    before: (page) => page.route('**/api/v1/me', (route) => route.fulfill({ status: 401, json: { status: 401 } })),
  },
]

let browser: Browser
beforeAll(async () => {
  if (!FOLDER) throw new Error('set SHOTS to a folder outside the checkout')
  mkdirSync(FOLDER, { recursive: true })
  browser = await launch()
})
afterAll(() => browser?.close())

test.each(LOOKS)('$size $theme $language', async ({ size, width, height, theme, language }) => {
  const { context, page, complaints } = await open(browser, {
    viewport: { width, height },
    colorScheme: theme,
    locale: language === 'de' ? 'de-DE' : 'en-GB',
  })
  const wanted = ({ name }: { name: string }) => !process.env.ONLY || name.startsWith(process.env.ONLY)
  const take = async (name: string) => {
    await page.waitForTimeout(REST_MS)
    await page.screenshot({ path: join(FOLDER, `${name}-${size}-${theme}-${language}.png`) })
  }
  for (const visit of (await visits(page)).filter(wanted)) {
    await page.goto(visit.href)
    await settled(page)
    await take(visit.name)
    if (visit.name !== 'decision') continue
    await page.emulateMedia({ media: 'print' })
    await take('decision-on-paper')
    await page.emulateMedia({ media: null })
  }
  const person = (await somebody(page)) ?? ''
  for (const { name, href, press } of OPENED.filter(wanted)) {
    await page.goto(href(person))
    await settled(page)
    await press(page)
    await page.getByRole('dialog').waitFor()
    await take(name)
  }
  for (const { name, href, before } of AMISS.filter(wanted)) {
    await before?.(page)
    await page.goto(href)
    if (!name.endsWith('loading')) await settled(page)
    else await page.getByRole('heading', { level: 1 }).waitFor()
    await take(name)
    await page.unrouteAll()
  }
  await context.close()
  expect(complaints).toEqual([])
})
