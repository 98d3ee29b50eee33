// The main path of Journeys, Audiences, Messages, Policies, Sources and Channels, by role and label.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ask, inOneBrowser, settled, URL_OF_SERVER } from './browser.ts'
import { somebody } from './pages.ts'

const inPage = inOneBrowser()

interface Listed<T> {
  items: T[]
}
interface Journey {
  journey: string
  title: string
  running: number
}

/** The journey with most people inside. */
async function busiest(page: Page): Promise<Journey> {
  const { items } = await ask<Listed<Journey>>(page, '/journeys')
  const [most] = [...items].sort((one, other) => other.running - one.running)
  if (!most) throw new Error('the server has no journey; start it with the demo company')
  return most
}

const canvas = (page: Page) => page.getByRole('group', { name: /^Canvas of/ })
const boxes = (page: Page) => canvas(page).locator('button[aria-pressed]')
const text = (page: Page) => page.getByRole('textbox', { name: /^Text of/ })

test('a journey is opened from the list, and a step shows who waits there', () =>
  inPage(async (page) => {
    const { journey, title } = await busiest(page)
    await page.goto(`/journeys?q=${journey}`)
    await settled(page)
    await page
      .getByRole('table', { name: 'Journeys' })
      .getByRole('link', { name: new RegExp(title) })
      .click()
    await boxes(page).first().waitFor()
    await page.getByText('Inside', { exact: true }).waitFor()
    await canvas(page)
      .getByRole('button', { name: /^(Wait|Send|Branch|Split)/ })
      .first()
      .click()
    await page.waitForURL(/step=/)
    await page.getByRole('heading', { name: 'Who waits here' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Who waits here' }).waitFor({ state: 'detached' })
  }))

test.each([
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
])('the canvas fits into the room that a panel leaves, $width wide', (viewport) =>
  inPage(async (page) => {
    await page.setViewportSize(viewport)
    await page.goto('/journeys/cart_recovery')
    const step = canvas(page).getByRole('button', { name: /^Wait.*hold/ })
    await step.click()
    await page.getByRole('heading', { name: 'Who waits here' }).waitFor()
    const outside = () =>
      page.evaluate((narrow) => {
        const panel = document.querySelector('aside[aria-labelledby]')?.getBoundingClientRect()
        const canvas = document.querySelector('.react-flow')?.getBoundingClientRect()
        if (!panel || !canvas) return ['no panel, no canvas']
        const room = {
          left: canvas.left,
          right: narrow ? canvas.right : panel.left,
          top: Math.max(0, canvas.top),
          bottom: narrow ? panel.top : canvas.bottom,
        }
        const shown = [...document.querySelectorAll<HTMLElement>('.react-flow__node')]
        const must = narrow ? shown.filter((node) => node.querySelector('[aria-pressed=true]')) : shown
        return must
          .filter((node) => {
            const at = node.getBoundingClientRect()
            const across = at.left < room.left - 1 || at.right > room.right + 1
            return across || (narrow && (at.top < room.top - 1 || at.bottom > room.bottom + 1))
          })
          .map((node) => node.textContent)
      }, viewport.width < 760)
    await expect.poll(outside).toEqual([])
  }),
)

test('a journey without a goal has no share of people who reached it', () =>
  inPage(async (page) => {
    const { items } = await ask<Listed<{ title: string; has_goal: boolean; entered: number }>>(page, '/journeys')
    await page.goto('/journeys')
    await settled(page)
    const row = (title: string) =>
      page.getByRole('table', { name: 'Journeys' }).getByRole('row').filter({ hasText: title })
    for (const has of [true, false]) {
      const one = items.find((each) => each.has_goal === has && each.entered > 0)
      const said = await row(one?.title ?? '')
        .first()
        .textContent()
      expect([said?.includes('%'), said?.includes('–')]).toEqual([has, !has])
    }
  }))

test('the journeys stand in the order that was chosen, and the address keeps it', () =>
  inPage(async (page) => {
    const { items } = await ask<Listed<{ has_goal: boolean; goal: number }>>(page, '/journeys')
    const known = items.filter((each) => each.has_goal).map((each) => each.goal)
    expect([new Set(known).size > 1, known.length < items.length]).toEqual([true, true])
    await page.goto('/journeys')
    const table = page.getByRole('table', { name: 'Journeys' })
    const head = table.getByRole('columnheader', { name: 'Converted' })
    const place = await head.evaluate((cell) => [...(cell.parentElement?.children ?? [])].indexOf(cell))
    const figures = async () => {
      const rows = table.getByRole('row').filter({ has: page.getByRole('cell') })
      const found = await rows.evaluateAll(
        (all, place) => all.map((row) => [Number(row.ariaRowIndex), row.children[place]?.textContent ?? ''] as const),
        place,
      )
      return found
        .toSorted(([one], [other]) => one - other)
        .map(([, text]) => (text.startsWith('–') ? null : Number.parseInt(text.replaceAll(',', ''), 10)))
    }
    // The company goes on while this looks: the figures are those of the page, whatever they are.
    const inOrder = async (up: boolean) => {
      const found = await figures()
      const numbers = found.filter((each) => each !== null).toSorted((one, other) => (up ? one - other : other - one))
      const wanted = [...numbers, ...found.filter((each) => each === null)]
      return found.length === items.length && wanted.every((each, index) => each === found[index])
    }
    for (const [order, search, up] of [
      ['ascending', '?sort=converted', true],
      ['descending', '?sort=-converted', false],
    ] as const) {
      await head.getByRole('button').click()
      await page.waitForURL((url) => url.search === search)
      await expect.poll(() => inOrder(up)).toBe(true)
      expect(await head.getAttribute('aria-sort')).toBe(order)
    }
    await page.reload()
    await head.getByRole('button').waitFor()
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    await expect.poll(() => inOrder(false)).toBe(true)
    await head.getByRole('button').click()
    await page.waitForURL((url) => url.search === '')
    expect(await head.getAttribute('aria-sort')).toBe('none')
    expect(await table.getByRole('columnheader').last().getByRole('button').count()).toBe(0)
  }))

test('a step is added on the canvas, stands in the text, and is taken back', () =>
  inPage(async (page) => {
    const { journey } = await busiest(page)
    await page.goto(`/journeys/${journey}?view=edit`)
    await text(page).waitFor()
    const before = await boxes(page).count()
    await canvas(page).getByRole('button', { name: 'Add a first step' }).click()
    await page.getByRole('menuitem', { name: /Wait/ }).click()
    await expect.poll(() => boxes(page).count()).toBe(before + 1)
    await expect.poll(() => text(page).textContent()).toContain('wait: {for: 1d}')
    await page.getByLabel('How long').fill('36h')
    await page.getByLabel('How long').press('Enter')
    await expect.poll(() => text(page).textContent()).toContain('wait: {for: 36h}')
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(() => boxes(page).count()).toBe(before)
    await page.getByRole('button', { name: 'Close', exact: true }).click()
    await page.getByRole('tab', { name: 'Live', selected: true }).waitFor()
  }))

test("the server's findings stand at their place, and broken text keeps the last drawing", () =>
  inPage(async (page) => {
    const { journey } = await busiest(page)
    await page.goto(`/journeys/${journey}?view=edit`)
    await text(page).waitFor()
    const before = await boxes(page).count()
    await text(page).click()
    await page.keyboard.press('Control+End')
    await page.keyboard.insertText('  - {id: lost, goto: {to: nowhere, max: 3}}\n')
    await page
      .getByRole('list', { name: 'Findings' })
      .getByText(/nowhere/)
      .first()
      .waitFor()
    await expect.poll(() => boxes(page).count()).toBe(before + 1)
    await page.keyboard.insertText('  - [')
    await page.getByText(/cannot be read/).waitFor()
    expect(await boxes(page).count()).toBe(before + 1)
    await page.getByRole('button', { name: 'Discard' }).click()
  }))

test('a plan is shown before anything is published, and what is published is live', () =>
  inPage(async (page) => {
    const { journey, title } = await busiest(page)
    const workspace = await ask<{ files: Record<string, string> }>(page, '/workspace')
    await page.goto(`/journeys/${journey}?view=edit&step=%40entry`)
    const field = page.getByLabel('Title')
    await field.fill(`${title} tested`)
    await field.press('Enter')
    await page.getByRole('button', { name: 'Review and publish' }).click()
    const dialog = page.getByRole('dialog', { name: 'Review what will be published' })
    await dialog.getByText(`+title: ${title} tested`).waitFor()
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await page.getByRole('heading', { level: 1, name: `${title} tested` }).waitFor()
    const restored = await page.request.post(`${URL_OF_SERVER}/api/v1/workspace/apply`, {
      data: { files: workspace.files, base_version: (await ask<{ version: string }>(page, '/workspace')).version },
    })
    expect(restored.status()).toBe(200)
    await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor()
  }))

test('work that somebody else overtook is compared again, not lost', () =>
  inPage(async (page) => {
    const { journey, title } = await busiest(page)
    await page.goto(`/journeys/${journey}?view=edit&step=%40entry`)
    await page.getByLabel('Title').fill(`${title} mine`)
    await page.getByLabel('Title').press('Enter')
    await page.route('**/api/v1/workspace/apply', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/problem+json',
        body: JSON.stringify({ title: 'outdated', status: 409, code: 'workspace-outdated' }),
      }),
    )
    await page.getByRole('button', { name: 'Review and publish' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await dialog.getByText('Somebody else published meanwhile').waitFor()
    await dialog.getByRole('button', { name: 'Compare with the new version' }).click()
    await dialog.getByText(`+title: ${title} mine`).waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
  }))

test('a person is played through in virtual time and his way lights up', () =>
  inPage(async (page) => {
    const { journey } = await busiest(page)
    await page.goto(`/journeys/${journey}?panel=try`)
    await page.getByRole('button', { name: 'Play through' }).click()
    await page.getByRole('heading', { name: 'What came of it' }).waitFor()
    await page.getByText('Keep as a scenario').click()
    await page.getByText(`journey: ${journey}`).waitFor()
  }))

test('fifty steps can be read: no box lies over another, and no words over a box', () =>
  inPage(async (page) => {
    await page.goto('/journeys')
    await page.getByRole('button', { name: 'New journey' }).click()
    await page.getByLabel('What is it called?').fill(`Fifty ${Date.now()}`)
    await page.getByRole('button', { name: 'Open as draft' }).click()
    await text(page).click()
    await page.keyboard.press('Control+A')
    await paste(page, fifty())
    await expect.poll(() => boxes(page).count()).toBe(51)
    // Arrows and their words are drawn after what they lead to.
    await expect.poll(() => page.locator('.react-flow__edgelabel-renderer > *').count()).toBeGreaterThan(50)
    const over = await page.evaluate(() => {
      const rects = (what: string) => [...document.querySelectorAll(what)].map((each) => each.getBoundingClientRect())
      const meet = (one: DOMRect, other: DOMRect) =>
        one.right > other.left && other.right > one.left && one.bottom > other.top && other.bottom > one.top
      const boxes = rects('.react-flow__node')
      const words = rects('.react-flow__edgelabel-renderer > *')
      return {
        boxes: boxes.filter((one, at) => boxes.slice(at + 1).some((other) => meet(one, other))).length,
        words: words.filter((one) => boxes.some((other) => meet(one, other))).length,
      }
    })
    expect(over).toEqual({ boxes: 0, words: 0 })
    await page.getByRole('button', { name: 'Discard' }).click()
  }))

/** As the clipboard does it; the editor takes it, not the browser. */
const paste = (page: Page, value: string) =>
  text(page).evaluate((element, pasted) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', pasted)
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }, value)

function fifty(): string {
  const steps = Array.from({ length: 50 }, (_, at) => {
    const next = at === 49 ? 'end' : `s${at + 1}`
    if (at % 7 === 3)
      return `  - {id: s${at}, branch: [{when: profile.country == "DE", to: s${Math.min(49, at + 3)}}, {otherwise: ${next}}]}`
    if (at % 3 === 1)
      return `  - {id: s${at}, wait: {event: Order Completed, timeout: 1d}, next: {matched: end, timeout: ${next}}}`
    return `  - {id: s${at}, send: {template: hello, channels: [email]}, next: {sent: ${next}, suppressed: end, failed: end}}`
  })
  return `journey: fifty\npurpose: service\nentry: {event: Signed Up}\nsteps:\n${steps.join('\n')}\n`
}

test('versions stand side by side, and moving people begins with a preview', () =>
  inPage(async (page) => {
    const { journey } = await busiest(page)
    await page.goto(`/journeys/${journey}?view=versions`)
    await page.getByRole('table', { name: 'Versions' }).waitFor()
    await page.getByRole('button', { name: 'Move people' }).click()
    const dialog = page.getByRole('dialog', { name: 'Move people' })
    await dialog.getByRole('button', { name: 'Preview' }).click()
    await dialog
      .getByText(/Lands at|Nobody is inside another version/)
      .first()
      .waitFor()
  }))

test('an audience shows its people, its changes with their reason, and its rule', () =>
  inPage(async (page) => {
    const { items } = await ask<Listed<{ audience: string; size: number }>>(page, '/audiences')
    const [largest] = [...items].sort((one, other) => other.size - one.size)
    await page.goto('/audiences')
    await settled(page)
    await page.goto(`/audiences/${largest?.audience}`)
    await page.getByRole('table', { name: 'Who is in' }).getByRole('link').first().waitFor()
    await page.getByRole('tab', { name: 'Came and went' }).click()
    await page.waitForURL(/view=changes/)
    await page.getByRole('table', { name: 'Came and went' }).getByRole('link', { name: 'Why?' }).first().waitFor()
    await page.getByRole('tab', { name: 'Definition' }).click()
    await page.getByText(`audience: ${largest?.audience}`).waitFor()
  }))

test('messages are filtered by an address that can be shared, and each has its history', () =>
  inPage(async (page) => {
    const { items } = await ask<Listed<{ state: string }>>(page, '/messages?limit=1')
    const state = items[0]?.state ?? ''
    await page.goto(`/messages?state=${state}`)
    await settled(page)
    const rows = page.getByRole('table', { name: 'Messages' }).getByRole('row')
    await rows.nth(1).waitFor()
    await page.getByRole('button', { name: new RegExp(`State ${state}`) }).waitFor()
    expect(await rows.nth(1).getByText(state, { exact: true }).count()).toBe(1)
    await rows.nth(1).getByRole('link').first().click()
    await page.getByRole('heading', { name: 'What became of it' }).waitFor()
    await page.getByRole('button', { name: 'Why?' }).waitFor()
  }))

test('delivery is counted by channel, provider, country and template', () =>
  inPage(async (page) => {
    for (const by of ['channel', 'provider', 'country', 'template']) {
      await page.goto(`/messages?view=delivery&by=${by}`)
      await page.getByRole('table', { name: 'Delivery' }).getByRole('row').nth(1).waitFor()
    }
  }))

test('a template is shown as a chosen person would receive it', () =>
  inPage(async (page) => {
    const { items } = await ask<Listed<{ template: string; profile: string }>>(page, '/messages?channel=email&limit=1')
    const [mail] = items
    await page.goto(`/messages?view=templates&template=${mail?.template}&channel=email&profile=${mail?.profile}`)
    await page.getByText('Subject', { exact: true }).waitFor()
    await page.goto('/messages?view=templates')
    await page.getByLabel('As seen by').waitFor()
    // What a channel shows of it: a subject or title, and a text in any case.
    await page
      .getByText(/^(Subject|Title)$/)
      .or(page.locator('main [class*=bubble]'))
      .first()
      .waitFor()
  }))

test('the rules of all regions stand in one table, and a question about one person is answered', () =>
  inPage(async (page) => {
    await page.goto('/policies')
    await page.getByRole('columnheader', { name: 'Everywhere' }).waitFor()
    await page.goto(`/policies?view=check&profile=${await somebody(page)}`)
    await page
      .getByText(/Yes, it would go out|Not now|^No$/)
      .first()
      .waitFor()
    await page.getByRole('heading', { name: /What was asked/ }).waitFor()
    await page.getByRole('tab', { name: 'Consent ledger' }).click()
    await page.waitForURL(/view=consents/)
    // Of this one person first, who may have said nothing; then of all.
    await page
      .getByText(/Cause and proof|No entry matches/)
      .first()
      .waitFor()
    await page.goto('/policies?view=consents')
    await page.getByRole('columnheader', { name: 'Cause and proof' }).waitFor()
  }))

test('sources show their events, and a channel can be tried', () =>
  inPage(async (page) => {
    await page.goto('/sources')
    await page.getByText('Events since the start').first().waitFor()
    await page
      .getByRole('table', { name: /^Events of/ })
      .getByRole('cell')
      .getByRole('button')
      .first()
      .click()
    await page.getByRole('region', { name: /^Properties of/ }).waitFor()
    await page.getByRole('tab', { name: 'Channels' }).click()
    await page.waitForURL(/view=channels/)
    await page.getByRole('article').first().waitFor()
    await page.getByRole('tab', { name: /Refused/ }).click()
    await page
      .getByText(/Nothing was refused|Reason/)
      .first()
      .waitFor()
  }))
