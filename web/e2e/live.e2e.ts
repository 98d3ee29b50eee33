// What is live under load: 5,000 events a second for some seconds, and the canvas stands still while its numbers move.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { inOneBrowser, settled, URL_OF_SERVER } from './browser.ts'

const EVENTS_PER_SECOND = 5_000
const SECONDS = 4
const BATCH = 500
const PEOPLE = 20_000
/** A machine that is busy with other things may be slower, but not by this much. */
const RATE_MIN = EVENTS_PER_SECOND / 2

/** A number that grows by a digit moves its neighbour; what an eye would notice begins at 0.1. */
const SHIFT_MAX = 0.001

const inPage = inOneBrowser()

/** Sends carts of many people at that rate; returns how many were taken each second. */
async function load(page: Page): Promise<number> {
  const made = await page.request.post(`${URL_OF_SERVER}/api/v1/keys`, { data: { name: 'load', role: 'source' } })
  const { key } = (await made.json()) as { key: string }
  const headers = { authorization: `Basic ${btoa(`${key}:`)}`, 'content-type': 'application/json' }
  const started = Date.now()
  const pause_ms = (BATCH / EVENTS_PER_SECOND) * 1_000
  const calls: Promise<number>[] = []
  for (let call = 0; call < (SECONDS * 1_000) / pause_ms; call++) {
    const batch = Array.from({ length: BATCH }, (_, at) => ({
      type: 'track',
      event: 'Cart Updated',
      userId: `load-${(call * BATCH + at) % PEOPLE}`,
      messageId: `load-${started}-${call}-${at}`,
      properties: { value: 50, currency: 'EUR' },
    }))
    calls.push(
      fetch(`${URL_OF_SERVER}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ batch }) }).then(
        async (answer) => ((await answer.json()) as { accepted?: number }).accepted ?? 0,
      ),
    )
    await new Promise((go) => setTimeout(go, Math.max(0, started + (call + 1) * pause_ms - Date.now())))
  }
  const taken = (await Promise.all(calls)).reduce((sum, count) => sum + count, 0)
  return (taken / (Date.now() - started)) * 1_000
}

interface Watched {
  shifts: { layoutShift: number }
}

/** Marks what is drawn, notes where it stands, and listens to the browser for anything that moves. */
const watch = (page: Page) =>
  page.evaluate(() => {
    const shifts = { layoutShift: 0 }
    ;(window as unknown as Watched).shifts = shifts
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.layoutShift += (entry as unknown as { value: number }).value
    }).observe({ type: 'layout-shift' })
    for (const element of document.querySelectorAll('.react-flow__node, .react-flow__edge')) {
      element.setAttribute('data-marked', '')
    }
  })

const look = (page: Page) =>
  page.evaluate(() => {
    const drawn = [...document.querySelectorAll<HTMLElement>('.react-flow__node, .react-flow__edge')]
    const places = drawn.map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect()
      return [x, y, width, height].map(Math.round).join()
    })
    return {
      drawn: drawn.length,
      kept: drawn.filter((element) => element.hasAttribute('data-marked')).length,
      boxes: places.filter((_, index) => drawn[index]?.classList.contains('react-flow__node')).join(' '),
      numbers: document.querySelector('.react-flow__nodes')?.textContent ?? '',
      layoutShift: (window as unknown as Watched).shifts.layoutShift,
    }
  })

test('at 5,000 events a second the numbers move and nothing else does', () =>
  inPage(async (page) => {
    await page.goto('/journeys/cart_recovery')
    await settled(page)
    await page.locator('.react-flow__node').first().waitFor()
    await watch(page)
    const before = await look(page)
    const rate = await load(page)
    await expect.poll(() => look(page).then((now) => now.numbers), { timeout: 10_000 }).not.toBe(before.numbers)
    const after = await look(page)
    console.info(`${Math.round(rate)} events a second taken while ${after.drawn} elements were drawn`)
    expect(rate).toBeGreaterThan(RATE_MIN)
    expect([after.drawn, after.kept]).toEqual([before.drawn, before.drawn])
    expect(after.boxes).toBe(before.boxes)
    expect(after.layoutShift).toBeLessThan(SHIFT_MAX)
  }))

test('Today follows 5,000 events a second, and its newest decisions are of now', () =>
  inPage(async (page) => {
    await page.goto('/')
    await settled(page)
    const newest = page.getByRole('list', { name: 'Newest decisions' })
    await newest.getByRole('link', { name: 'Why?' }).first().waitFor()
    const before = await newest.textContent()
    const longest = page.evaluate(
      (ms) =>
        new Promise<number>((done) => {
          let most = 0
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) most = Math.max(most, entry.duration)
          }).observe({ type: 'longtask' })
          setTimeout(() => done(most), ms)
        }),
      SECONDS * 1_000,
    )
    const rate = await load(page)
    console.info(`${Math.round(rate)} events a second, the page was busy for ${Math.round(await longest)} ms at most`)
    await expect.poll(() => newest.textContent(), { timeout: 10_000 }).not.toBe(before)
    expect(rate).toBeGreaterThan(RATE_MIN)
  }))
