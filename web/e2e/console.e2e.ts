// The main path of Today, People, Explain and Settings, by role and label, and the path without a mouse.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ask, inOneBrowser, settled } from './browser.ts'
import { somebody } from './pages.ts'

const inPage = inOneBrowser()

interface Person {
  id: string
  name: string | null
  identifiers: { kind: string; value: string }[]
}

async function aPerson(page: Page): Promise<Person> {
  const id = await somebody(page)
  return ask<Person>(page, `/profiles/${id}`)
}

const nameOf = (person: Person) => person.name || person.identifiers[0]?.value || person.id

test('Today shows what flows, and new decisions arrive by themselves', () =>
  inPage(async (page) => {
    await page.goto('/')
    await settled(page)
    await page.getByText('Events per second').waitFor()
    await page.getByRole('region', { name: 'What flows' }).getByRole('img').waitFor()
    await page.getByRole('navigation').getByRole('link', { name: 'Today' }).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    const newest = page.getByRole('list', { name: 'Newest decisions' })
    await newest.getByRole('link', { name: 'Why?' }).first().waitFor()
  }))

test('a person is found by any identifier, and the address of the search can be shared', () =>
  inPage(async (page) => {
    const person = await aPerson(page)
    for (const identifier of person.identifiers.slice(0, 3)) {
      await page.goto('/people')
      await page.getByRole('searchbox').fill(identifier.value)
      await page.getByRole('table', { name: 'People' }).getByRole('link').first().waitFor()
      await page.waitForURL((url) => url.searchParams.get('q') === identifier.value)
      await page.reload()
      await page.getByRole('table', { name: 'People' }).getByText(nameOf(person)).first().click()
      await page.getByRole('heading', { level: 1, name: nameOf(person) }).waitFor()
    }
  }))

test('search that finds nobody says how to search', () =>
  inPage(async (page) => {
    await page.goto('/people?q=nobody-has-this-value')
    await page.getByText('Nobody matches').waitFor()
  }))

test('a person shows timeline, messages, journeys, consent and identity', () =>
  inPage(async (page) => {
    const person = await aPerson(page)
    await page.goto(`/people/${person.id}`)
    await settled(page)
    const timeline = page.getByRole('list', { name: 'Timeline' })
    await timeline.getByRole('listitem').first().waitFor()
    await timeline.getByRole('button').first().click()
    await timeline.getByRole('region').first().waitFor()
    await page.getByRole('button', { name: 'Messages' }).click()
    await page.waitForURL(/kinds=message/)
    for (const tab of ['Messages', 'Journeys', 'Consent', 'Identity']) {
      await page.getByRole('tab', { name: tab }).click()
      await page.getByRole('tabpanel', { name: tab }).waitFor()
    }
    await page
      .getByRole('table', { name: 'Identifiers' })
      .getByText(person.identifiers[0]?.value ?? '')
      .waitFor()
    // Whoever told them: the demo's customers come by the shop's page and its counter.
    const told = await page
      .getByRole('table', { name: 'Identifiers' })
      .getByText(/^(web-shop|counter)$/)
      .count()
    expect(told).toBeGreaterThan(0)
  }))

test('consent that a person gave by voice can be recorded', () =>
  inPage(async (page) => {
    const person = await aPerson(page)
    await page.goto(`/people/${person.id}?tab=consent`)
    await page.getByRole('button', { name: 'Record consent' }).click()
    const dialog = page.getByRole('dialog', { name: 'Record consent' })
    await dialog.getByLabel('Purpose').fill('console_test')
    await dialog.getByLabel('Note: how it was given').fill('on the phone')
    await dialog.getByRole('button', { name: 'Record' }).click()
    await page.getByText('Consent was recorded').waitFor()
  }))

test('a decision is explained from the event to the effect', () =>
  inPage(async (page) => {
    const messages = await ask<{ items: { id: string }[] }>(page, '/messages?limit=1')
    const id = messages.items[0]?.id ?? ''
    await page.goto('/explain')
    await page.getByLabel(/Paste an id/).fill('nonsense')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('An id starts with').waitFor()
    await page.getByLabel(/Paste an id/).fill(id)
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByRole('list', { name: 'From the event to the effect' }).getByText('asked for').waitFor()
    await page.getByRole('button', { name: 'Print' }).waitFor()
  }))

test('a key is made, shown once, and taken away', () =>
  inPage(async (page) => {
    const name = `console test ${Date.now()}`
    await page.goto('/settings')
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill(name)
    await page.getByRole('button', { name: 'Make the key' }).click()
    await page.getByRole('dialog', { name: 'Your new key' }).getByText(/fdk_/).first().waitFor()
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await page.getByRole('button', { name: `Remove: ${name}` }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByRole('button', { name: `Remove: ${name}` }).waitFor({ state: 'detached' })
    await page.getByRole('tab', { name: 'Audit log' }).click()
    await page.getByRole('table', { name: 'Audit log' }).getByText(name).first().waitFor()
  }))

test('an address that leads nowhere says what to do', () =>
  inPage(async (page) => {
    await page.goto('/people/prf_ffffffffffff')
    await page.getByRole('alert').waitFor()
    await page.goto('/nowhere')
    await page.getByText('There is no page at this address').waitFor()
  }))

test('language and appearance are chosen and kept', () =>
  inPage(async (page) => {
    await page.goto('/')
    await page.getByRole('radio', { name: 'Deutsch' }).click()
    await page.getByRole('heading', { level: 1, name: 'Heute' }).waitFor()
    await page.getByRole('radio', { name: 'Dunkel' }).click()
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Heute' }).waitFor()
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark')
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('de')
  }))

test('without a mouse: find a person, read why a message did not go, open the journey at its step', () =>
  inPage(async (page) => {
    interface Silent {
      id: string
      profile: string
      step: string
      journey: string
    }
    const silent = await ask<{ items: Silent[] }>(page, '/messages?state=suppressed&limit=1')
    const message = silent.items[0]
    if (!message) throw new Error('the server has no message that was suppressed')
    const person = await ask<Person>(page, `/profiles/${message.profile}`)
    await page.goto('/')
    await settled(page)
    const keys = page.keyboard
    await keys.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    await keys.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await keys.press('Control+k')
    await page.getByRole('combobox').waitFor()
    await keys.type((person.identifiers.find((each) => each.kind === 'email') ?? person.identifiers[0])?.value ?? '')
    await page
      .getByRole('option', { name: nameOf(person) })
      .first()
      .waitFor()
    await keys.press('Enter')
    await page.getByRole('heading', { level: 1, name: nameOf(person) }).waitFor()
    await tabTo(page, 'tab', 'Timeline')
    await keys.press('ArrowRight')
    await page.getByRole('list', { name: 'Messages' }).getByRole('link', { name: 'Why?' }).first().waitFor()
    await tabTo(page, 'link', 'Why?', `/explain/${message.id}`)
    await keys.press('Enter')
    await page.waitForURL(`**/explain/${message.id}`)
    await settled(page)
    await page.getByRole('heading', { level: 1, name: /not sent/ }).waitFor()
    await page
      .getByRole('list', { name: 'From the event to the effect' })
      .getByText('stopped', { exact: true })
      .first()
      .waitFor()
    await tabTo(page, 'link', '', `/journeys/${message.journey}?step=${message.step}`)
    await keys.press('Enter')
    await page.waitForURL(`**/journeys/${message.journey}?step=${message.step}`)
    await page.getByRole('heading', { name: 'Who waits here' }).waitFor()
  }))

const TABS_MAX = 200

/** Presses Tab until something with this role, text and part of an address has the focus. */
async function tabTo(page: Page, role: string, text: string, href = '') {
  for (let pressed = 0; pressed < TABS_MAX; pressed++) {
    await page.keyboard.press('Tab')
    const found = await page.evaluate(
      ([role, text, href]) => {
        const at = document.activeElement
        const its = at?.getAttribute('role') ?? (at?.tagName === 'A' ? 'link' : at?.tagName.toLowerCase())
        return its === role && !!at?.textContent?.includes(text) && (at.getAttribute('href') ?? '').includes(href)
      },
      [role, text, href] as [string, string, string],
    )
    if (found) return
  }
  throw new Error(`${TABS_MAX} times Tab did not reach the ${role} ${text}${href}`)
}

test('j, k and Enter walk through a list', () =>
  inPage(async (page) => {
    await page.goto('/people')
    const table = page.getByRole('table', { name: 'People' })
    await table.getByRole('link').first().waitFor()
    await page.keyboard.press('Escape')
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    for (const key of ['j', 'j', 'k', 'Enter']) await page.keyboard.press(key)
    await page.waitForURL(/\/people\/.+/)
    await page.keyboard.press('g')
    await page.keyboard.press('t')
    await page.waitForURL((url) => url.pathname === '/')
  }))
