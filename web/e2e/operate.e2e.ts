// What people do in the console beside looking: repair what was refused, try a channel, move people between versions
// and back, look at tests on the canvas, print a reason.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ask, inOneBrowser, settled, URL_OF_SERVER } from './browser.ts'

const inPage = inOneBrowser()

interface Listed<T> {
  items: T[]
}

async function keyOfSource(page: Page): Promise<string> {
  const made = await page.request.post(`${URL_OF_SERVER}/api/v1/keys`, { data: { name: 'operate', role: 'source' } })
  return ((await made.json()) as { key: string }).key
}

test('what was refused is read, tried again, and deleted', () =>
  inPage(async (page) => {
    const authorization = `Basic ${btoa(`${await keyOfSource(page)}:`)}`
    const event = `Nobody's order ${Date.now()}`
    await page.request.post(`${URL_OF_SERVER}/v1/track`, { headers: { authorization }, data: { event } })
    await page.goto('/')
    const needs = page.getByRole('region', { name: 'What needs a person' })
    await needs.getByText(/^Events that could not be taken: \d+/).waitFor()
    await page.getByRole('radio', { name: 'Deutsch' }).click()
    await page.getByText(/^Ereignisse, die nicht angenommen werden konnten: \d+/).waitFor()
    await page.getByRole('radio', { name: 'English' }).click()
    await needs.getByRole('link').first().click()
    await page.waitForURL(/view=dead_letters/)
    await settled(page)
    await page.getByRole('table', { name: 'Refused' }).getByRole('button').first().click()
    const letter = page.getByRole('dialog')
    await letter.getByText(event).waitFor()
    await letter.getByRole('button', { name: 'Try again' }).click()
    await letter.getByText(/Refused again:/).waitFor()
    await letter.getByRole('button', { name: 'Delete' }).click()
    await letter.waitFor({ state: 'detached' })
    await page.getByText('It is deleted.').waitFor()
    expect(await page.getByText(event).count()).toBe(0)
  }))

test('two people who became one are taken apart again', () =>
  inPage(async (page) => {
    const authorization = `Basic ${btoa(`${await keyOfSource(page)}:`)}`
    const name = `merged-${Date.now()}`
    for (const [call, data] of [
      ['identify', { userId: name, traits: { email: `${name}@example.com` } }],
      ['identify', { anonymousId: name, traits: { first_name: 'Ada' } }],
      ['identify', { userId: name, anonymousId: name }],
    ] as const) {
      const answer = await page.request.post(`${URL_OF_SERVER}/v1/${call}`, { headers: { authorization }, data })
      expect(answer.status()).toBe(200)
    }
    await page.goto(`/people/user_id:${name}?tab=identity`)
    await page.getByRole('button', { name: 'Take back' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click()
    await page.getByText('The merge is being taken back.').waitFor()
    await page.getByText('taken back', { exact: true }).waitFor()
  }))

test('a channel is tried with a message of one’s own', () =>
  inPage(async (page) => {
    await page.goto('/sources?view=channels')
    await page.getByRole('article', { name: 'sms' }).getByRole('button', { name: 'Test send' }).click()
    const dialog = page.getByRole('dialog', { name: 'Test message on sms' })
    await dialog.getByLabel('To').fill('+4915550000001')
    await dialog.getByRole('button', { name: 'Send' }).click()
    await dialog.getByText('The channel took it').waitFor()
  }))

test('the scenarios of a journey mark the steps that they come by', () =>
  inPage(async (page) => {
    await page.goto('/journeys/cart_recovery?panel=scenarios')
    const boxes = page.locator('.react-flow__node')
    await boxes
      .filter({ hasText: /\d scenarios?/ })
      .first()
      .waitFor()
    await page.getByRole('list').getByRole('button', { pressed: false }).filter({ hasText: 'ms' }).first().click()
    await page.waitForURL(/scenario=/)
    await page.getByRole('heading', { name: 'What came of it' }).waitFor()
  }))

test('a reason can be printed: the chain alone, dark on light', () =>
  inPage(async (page) => {
    const { items } = await ask<Listed<{ id: string }>>(page, '/messages?state=suppressed&limit=1')
    await page.goto(`/explain/${items[0]?.id}`)
    await settled(page)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.getByRole('navigation').isVisible()).toBe(false)
    expect(await page.getByRole('button', { name: 'Print' }).isVisible()).toBe(false)
    await page.getByRole('list', { name: 'From the event to the effect' }).waitFor()
    const ink = await page.evaluate(() => getComputedStyle(document.body).color)
    expect(ink).toBe('rgb(28, 25, 23)')
    expect((await page.pdf()).length).toBeGreaterThan(1_000)
  }))

interface Journey {
  journey: string
  title: string
  file: string
  source: string
  versions: { version: string; running: number }[]
}

test('people are moved to another version, the move is kept, and it is taken back', () =>
  inPage(async (page) => {
    const { journey, file, source } = await ask<Journey>(page, '/journeys/review_request')
    const { files, version } = await ask<{ files: Record<string, string>; version: string }>(page, '/workspace')
    const publish = async (text: string, base_version: string) => {
      const answer = await page.request.post(`${URL_OF_SERVER}/api/v1/workspace/apply`, {
        data: { files: { ...files, [file]: text }, base_version },
      })
      expect(answer.status(), await answer.text()).toBe(200)
      return ((await answer.json()) as { version: string }).version
    }
    const published = await publish(source.replace(/^title: .*$/m, '$& once more'), version)
    const { versions } = await ask<Journey>(page, `/journeys/${journey}`)
    const inside = versions.slice(1).reduce((sum, each) => sum + each.running, 0)
    expect(inside).toBeGreaterThan(0)
    await page.goto(`/journeys/${journey}?view=versions`)
    const sides = page.getByRole('region', { name: 'Side by side' })
    await sides.getByRole('group').nth(1).waitFor()
    await sides.getByText(/^\+title: .* once more$/).waitFor()
    await page.getByRole('button', { name: 'Move people' }).click()
    const dialog = page.getByRole('dialog', { name: 'Move people' })
    await dialog.getByRole('button', { name: 'Preview' }).click()
    await dialog.getByRole('table', { name: 'Where people land' }).waitFor()
    await dialog.getByRole('button', { name: /^Move [\d,]+ (people|person)$/ }).click()
    await dialog.getByText(/(people are|person is) moved/).waitFor()
    await dialog.getByRole('button', { name: 'Done' }).click()
    const moves = page.getByRole('table', { name: 'Moves so far' })
    await moves
      .getByRole('button', { name: /^Move .* back$/ })
      .first()
      .click()
    await page.getByRole('dialog', { name: 'Move them back?' }).getByRole('button', { name: 'Move back' }).click()
    await moves.getByText('taken back').first().waitFor()
    await publish(source, published)
  }))

test('a journey is counted in a range of time, and the address keeps it', () =>
  inPage(async (page) => {
    await page.goto('/journeys/cart_recovery')
    await settled(page)
    await page.getByRole('button', { name: /^Counted/ }).click()
    await page.getByRole('option', { name: 'in the last 24 hours' }).click()
    await page.waitForURL(/range=24/)
    await page.getByText('Who waits is always who waits now.').waitFor()
    const all = await ask<{ counts: { entered: number } }>(page, '/journeys/cart_recovery')
    const from = new Date(Date.now() - 86_400_000).toISOString()
    const day = await ask<typeof all>(page, `/journeys/cart_recovery?from=${from}`)
    expect(day.counts.entered).toBeLessThan(all.counts.entered)
  }))

test('decisions of everybody are filtered by kind and journey', () =>
  inPage(async (page) => {
    await page.goto('/explain?kind=message&outcome=suppressed')
    const rows = page.getByRole('table', { name: 'Decisions' }).getByRole('row')
    await rows
      .nth(1)
      .getByText(/not sent/)
      .waitFor()
    await rows.nth(1).getByRole('link').first().click()
    await page.getByRole('list', { name: 'From the event to the effect' }).waitFor()
  }))
