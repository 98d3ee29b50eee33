// The pages that customers reach by signed links, without signing in: axe finds nothing serious on them, they fit, they
// say their language, and they are worked by the keyboard. The links are those of a message that was really sent.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, axeFindings, launch, type Opened, open, URL_OF_SERVER } from './browser.ts'

/** Where the demo company's messages arrive. */
const MAILBOX = process.env.FADEN_MAILBOX ?? ''
const MAIL_MS_MAX = 20_000

const WORDS = {
  en: {
    preferences: 'Your messages',
    group: 'Marketing',
    mail: /^E-mail/,
    language: 'Language',
    times: 'When we may write to you',
    from: 'From',
    until: 'Until',
    save: 'Save',
    saved: 'Your choices are saved and hold from now on.',
    unsubscribe: 'Unsubscribe',
    unsubscribed: 'You are unsubscribed. This holds from now on.',
    choices: 'See all choices',
    confirm: 'Please confirm',
    yes: 'Yes, I want them',
    confirmed: 'Thank you, it is confirmed.',
    stop: 'Stop all messages',
    wrong: 'This link does not work',
  },
  de: {
    preferences: 'Ihre Nachrichten',
    group: 'Marketing',
    mail: /^E-Mail/,
    language: 'Sprache',
    times: 'Wann wir Ihnen schreiben dürfen',
    from: 'Von',
    until: 'Bis',
    save: 'Speichern',
    saved: 'Ihre Auswahl ist gespeichert und gilt ab sofort.',
    unsubscribe: 'Abbestellen',
    unsubscribed: 'Sie haben abbestellt. Das gilt ab sofort.',
    choices: 'Alle Einstellungen ansehen',
    confirm: 'Bitte bestätigen',
    yes: 'Ja, ich möchte sie',
    confirmed: 'Danke, das ist bestätigt.',
    stop: 'Alle Nachrichten abbestellen',
    wrong: 'Dieser Link funktioniert nicht',
  },
} as const
type Language = keyof typeof WORDS

/** The company asks for a confirmation by mail, as long as these tests run. */
const ASKING = {
  'journeys/ask_to_confirm.yaml': `journey: ask_to_confirm
title: Ask to confirm
purpose: service
entry: {event: Confirmation Asked, reentry: always}
steps:
  - id: ask
    send: {template: ask_to_confirm, channels: [email]}
`,
  'templates/ask_to_confirm/email.en.jinja':
    '---\nsubject: Please confirm\n---\n{{ confirm_url }}\n{{ preferences_url }}\n{{ unsubscribe_url }}\n',
}

let browser: Browser
let office: Opened
let company: Record<string, string>
let authorization: string

async function publish(files: Record<string, string>) {
  const answer = await office.page.request.post(`${URL_OF_SERVER}/api/v1/workspace/apply`, { data: { files } })
  expect(answer.status(), await answer.text()).toBe(200)
}

beforeAll(async () => {
  browser = await launch()
  office = await open(browser)
  const made = await office.page.request.post(`${URL_OF_SERVER}/api/v1/keys`, {
    data: { name: 'customers', role: 'source' },
  })
  authorization = `Basic ${btoa(`${((await made.json()) as { key: string }).key}:`)}`
  company = (await ask<{ files: Record<string, string> }>(office.page, '/workspace')).files
  const settings = `${company['faden.yaml']}`.replace(/^events:\n/m, 'events:\n  Confirmation Asked:\n')
  await publish({ ...company, ...ASKING, 'faden.yaml': settings })
})
afterAll(async () => {
  await publish(company)
  await browser.close()
})

interface Customer {
  name: string
  links: { preferences: string; unsubscribe: string; confirm: string }
}

/** A newcomer, and the links of the message that she got. */
async function newcomer(language: Language): Promise<Customer> {
  const name = `customer-${language}-${Date.now()}`
  const email = `${name}@example.com`
  const tell = async (call: string, data: object) => {
    const answer = await office.page.request.post(`${URL_OF_SERVER}/v1/${call}`, {
      headers: { authorization },
      data: { userId: name, ...data },
    })
    expect(answer.status()).toBe(200)
  }
  await tell('identify', { traits: { email, language, country: 'DE' } })
  await tell('track', { event: 'Confirmation Asked' })
  const until = Date.now() + MAIL_MS_MAX
  while (Date.now() < until) {
    const arrived = await (await office.page.request.get(MAILBOX)).text()
    const mail = arrived.split('<details>').find((one) => one.includes(email) && one.includes('/c/prf_'))
    const link = (page: string) => mail?.match(new RegExp(`${URL_OF_SERVER}/${page}/[^\\s)<]+`))?.[0] ?? ''
    if (mail) return { name, links: { preferences: link('p'), unsubscribe: link('u'), confirm: link('c') } }
    await new Promise((done) => setTimeout(done, 250))
  }
  throw new Error(`no mail reached ${email} within ${MAIL_MS_MAX} ms`)
}

/** Purpose, channel and state of what holds for somebody, as the API says it. */
async function consents({ name }: Customer): Promise<string[]> {
  type Consent = { purpose: string; channel: string | null; state: string }
  const profile = await ask<{ consents: Consent[] }>(office.page, `/profiles/user_id:${name}`)
  return profile.consents.map(({ purpose, channel, state }) => `${purpose} ${channel ?? '*'} ${state}`)
}

/** What holds on each of these pages, whatever it is about. */
async function holds({ page, complaints }: Opened, language: Language, title: string) {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor()
  expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1)
  expect(await page.locator('html').getAttribute('lang')).toBe(language)
  expect(await page.title()).toMatch(new RegExp(`^${title} - .+`))
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
  expect([...(await axeFindings(page)), ...complaints.splice(0)]).toEqual([])
}

/** Goes on by the tabulator until this has the focus, and presses a key there. */
async function press(
  page: Page,
  role: 'button' | 'checkbox' | 'link',
  name: string | RegExp,
  key: string,
  group?: string,
) {
  const room = group ? page.getByRole('group', { name: group }) : page
  const wanted = room.getByRole(role, { name, exact: true })
  await wanted.waitFor()
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab')
    if (await wanted.evaluate((element) => element === document.activeElement)) {
      const ring = await wanted.evaluate((element) => getComputedStyle(element).outlineStyle)
      expect(ring, `the focus on ${name} is to be seen`).not.toBe('none')
      return page.keyboard.press(key)
    }
  }
  throw new Error(`the keyboard does not reach ${name}`)
}

const LOOKS: [string, Language, BrowserContextOptions][] = [
  ['wide and light', 'en', { viewport: { width: 1440, height: 900 }, colorScheme: 'light' }],
  ['narrow and dark', 'en', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ['wide and dark', 'de', { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' }],
  ['narrow and light', 'de', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
]

test.each(LOOKS)('a customer confirms, chooses and leaves by the keyboard: %s, %s', async (_, language, look) => {
  const words = WORDS[language]
  const customer = await newcomer(language)
  // Nobody is signed in; the customer's language comes before the browser's.
  const opened = await open(browser, { ...look, locale: 'fr-FR', storageState: { cookies: [], origins: [] } })
  const { page } = opened
  const done = page.getByRole('status')

  await page.goto(customer.links.confirm)
  await holds(opened, language, words.confirm)
  await press(page, 'button', words.yes, 'Enter')
  await done.getByText(words.confirmed).waitFor()
  await holds(opened, language, words.confirm)
  expect(await consents(customer)).toContain('service email granted')

  await page.goto(customer.links.preferences)
  await holds(opened, language, words.preferences)
  await page.getByRole('combobox', { name: words.language }).waitFor()
  await press(page, 'checkbox', words.mail, 'Space', words.group)
  const times = page.getByRole('group', { name: words.times })
  await times.getByLabel(words.from).fill('09:00')
  await times.getByLabel(words.until).fill('18:30')
  await press(page, 'button', words.save, 'Enter')
  await done.getByText(words.saved).waitFor()
  await holds(opened, language, words.preferences)
  expect(
    await page.getByRole('group', { name: words.group }).getByRole('checkbox', { name: words.mail }).isChecked(),
  ).toBe(true)
  expect(await times.getByLabel(words.from).inputValue()).toBe('09:00')
  expect(await times.getByLabel(words.until).inputValue()).toBe('18:30')
  // Germany wants it confirmed by mail first.
  expect(await consents(customer)).toContain('marketing email pending')

  await page.goto(customer.links.unsubscribe)
  await holds(opened, language, words.unsubscribe)
  await press(page, 'button', words.unsubscribe, 'Enter')
  await done.getByText(words.unsubscribed).waitFor()
  await holds(opened, language, words.unsubscribe)
  expect(await consents(customer)).toContain('service email withdrawn')

  await press(page, 'link', words.choices, 'Enter')
  await holds(opened, language, words.preferences)
  await press(page, 'button', words.stop, 'Enter')
  await done.getByText(words.saved).waitFor()
  expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0)
  expect(await consents(customer)).toContain('* * withdrawn')
  await opened.context.close()
})

test.each(LOOKS)('a link that is not whole says so: %s, %s', async (_, language, look) => {
  const opened = await open(browser, { ...look, locale: language, storageState: { cookies: [], origins: [] } })
  for (const path of ['/p/x', '/u/x', '/c/x']) {
    expect((await opened.page.goto(path))?.status()).toBe(404)
    await holds(opened, language, WORDS[language].wrong)
  }
  await opened.context.close()
})
