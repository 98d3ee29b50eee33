// What holds on every page and in every dialog: it opens without complaint, axe finds nothing serious, wide and light as
// narrow and dark, and nothing runs out of the window.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { axeFindings, launch, type Opened, open, settled } from './browser.ts'
import { OPENED, somebody, type Visit, visits } from './pages.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

/** Side by side, as long as one of them waits for the server. */
const TABS = 2

async function whatIsWrong({ page, complaints }: Opened, visit: Visit): Promise<string[]> {
  await page.goto(visit.href)
  await settled(page)
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  const wide = over > 0 ? [`it is ${over} pixels too wide`] : []
  return [...wide, ...(await axeFindings(page)), ...complaints.splice(0)]
}

test.each([
  ['wide and light', { width: 1440, height: 900 }, 'light', 'en-GB'],
  ['narrow, dark and German', { width: 390, height: 844 }, 'dark', 'de-DE'],
] as const)(
  'every page opens without complaint: %s',
  async (_, viewport, colorScheme, locale) => {
    const findings: string[] = []
    const left: Visit[] = []
    const look = async (opened: Opened) => {
      for (let visit = left.shift(); visit; visit = left.shift()) {
        findings.push(...(await whatIsWrong(opened, visit)).map((wrong) => `${visit?.name}: ${wrong}`))
      }
      await opened.context.close()
    }
    const tabs = await Promise.all(Array.from({ length: TABS }, () => open(browser, { viewport, colorScheme, locale })))
    left.push(...(await visits(tabs[0]?.page as Page)))
    await Promise.all(tabs.map(look))
    expect(findings).toEqual([])
  },
  300_000,
)

test.each([
  ['wide and light', { width: 1440, height: 900 }, 'light'],
  ['narrow and dark', { width: 390, height: 844 }, 'dark'],
] as const)(
  'every dialog opens without complaint: %s',
  async (_, viewport, colorScheme) => {
    const { context, page, complaints } = await open(browser, { viewport, colorScheme })
    const person = (await somebody(page)) ?? ''
    const findings: string[] = []
    for (const { name, href, press } of OPENED) {
      await page.goto(href(person))
      await settled(page)
      await press(page)
      await page.getByRole('dialog').waitFor()
      findings.push(...(await axeFindings(page)).map((wrong) => `${name}: ${wrong}`))
    }
    await context.close()
    expect([...findings, ...complaints]).toEqual([])
  },
  300_000,
)
