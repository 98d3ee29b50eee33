// Pictures of every page: wide and narrow, light and dark, English and German. SHOTS names the folder; ONLY a page
// and LOOK a look, where not all are wanted.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, open, settled } from './browser.ts'
import { visits } from './pages.ts'

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
  for (const visit of await visits(page)) {
    if (process.env.ONLY && !visit.name.startsWith(process.env.ONLY)) continue
    await page.goto(visit.href)
    await settled(page)
    await page.waitForTimeout(REST_MS)
    await page.screenshot({ path: join(FOLDER, `${visit.name}-${size}-${theme}-${language}.png`) })
  }
  await context.close()
  expect(complaints).toEqual([])
})
