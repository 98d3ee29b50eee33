// Debian's Chromium, signed in to a running server. Whatever the console says on its own console, and whatever the
// Content-Security-Policy refuses, is a failure.
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject } from 'vitest'

export const URL_OF_SERVER = process.env.FADEN_URL ?? 'http://127.0.0.1:7700'
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const WAIT_MS_MAX = 20_000

declare module 'vitest' {
  interface ProvidedContext {
    /** The signed-in session, as Playwright keeps it. */
    session: string
  }
}

/** Flags without which Chromium tries to reach the world at every start. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

export interface Opened {
  context: BrowserContext
  page: Page
  /** What went wrong so far. */
  complaints: string[]
}

export async function open(browser: Browser, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({
    baseURL: URL_OF_SERVER,
    storageState: JSON.parse(inject('session')),
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  })
  context.setDefaultTimeout(WAIT_MS_MAX)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A refused call is shown on the page and tested there.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text())
    }
  })
  return { context, page, complaints }
}

/** One browser for all tests of a file. What it gives back opens a page in it, works there and wants no complaint. */
export function inOneBrowser() {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  return async (work: (page: Page, opened: Opened) => Promise<void>) => {
    const opened = await open(browser)
    try {
      await work(opened.page, opened)
      expect(opened.complaints).toEqual([])
    } finally {
      await opened.context.close()
    }
  }
}

/** Asks the API as the one who is signed in. */
export async function ask<T>(page: Page, path: string): Promise<T> {
  const response = await page.request.get(`${URL_OF_SERVER}/api/v1${path}`)
  expect(response.status(), path).toBe(200)
  return response.json()
}

const AXE = createRequire(import.meta.url).resolve('axe-core')

interface Violation {
  id: string
  impact: string | null
  nodes: { html: string; failureSummary: string }[]
}

/** Serious and critical findings of axe, each with its first element. */
export async function axeFindings(page: Page): Promise<string[]> {
  // What fades in has no contrast yet.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((one) => one.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY)
        .map((one) => one.finished),
    ).then(() => undefined),
  )
  const { readFileSync } = await import('node:fs')
  // By the debugger, not as a script element: the Content-Security-Policy would refuse that.
  await page.evaluate(readFileSync(AXE, 'utf8'))
  const violations: Violation[] = await page.evaluate(async () => {
    type Axe = { run: (what: Document, options: object) => Promise<{ violations: Violation[] }> }
    const { axe } = window as unknown as { axe: Axe }
    return (await axe.run(document, { resultTypes: ['violations'] })).violations
  })
  return violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .map((violation) => `${violation.id}: ${violation.nodes[0]?.html} ${violation.nodes[0]?.failureSummary}`)
}

/** Everything that was asked for has arrived and is drawn. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page
    .getByRole('status', { name: /^(Loading|Lädt)$/ })
    .first()
    .waitFor({ state: 'detached' })
  await page.evaluate(() => document.fonts.ready)
}
