// What holds on every page: it opens without complaint, axe finds nothing serious, and nothing runs out of the window.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { axeFindings, launch, open, settled } from './browser.ts'
import { visits } from './pages.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

test.each([
  ['wide and light', { width: 1440, height: 900 }, 'light', 'en-GB'],
  ['narrow, dark and German', { width: 390, height: 844 }, 'dark', 'de-DE'],
] as const)(
  'every page opens without complaint: %s',
  async (_, viewport, colorScheme, locale) => {
    const { context, page, complaints } = await open(browser, { viewport, colorScheme, locale })
    const findings: string[] = []
    for (const visit of await visits(page)) {
      await page.goto(visit.href)
      await settled(page)
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      if (width > viewport.width) findings.push(`${visit.name} is ${width} wide`)
      findings.push(...(await axeFindings(page)).map((finding) => `${visit.name}: ${finding}`))
      findings.push(...complaints.splice(0).map((complaint) => `${visit.name}: ${complaint}`))
    }
    await context.close()
    expect(findings).toEqual([])
  },
  240_000,
)
