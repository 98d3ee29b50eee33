// What empty pages teach is true: the calls are taken, and the files make a workspace without an error.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { inOneBrowser, settled, URL_OF_SERVER } from './browser.ts'

const inPage = inOneBrowser()

/** What the page has to copy when its list is empty. */
async function taught(page: Page, list: string, href: string): Promise<string> {
  await page.route(new RegExp(`/api/v1/${list}(\\?.*)?$`), (route) =>
    route.fulfill({ json: { items: [], next_page_token: null } }),
  )
  await page.goto(href)
  await settled(page)
  const text = await page.locator('main pre').first().textContent()
  return text ?? ''
}

test.each([
  ['profiles', '/people', 200],
  ['consents', '/policies?view=consents', 200],
  ['sources', '/sources', 200],
  ['dead_letters', '/sources?view=dead_letters', 400],
])('the call that stands where there are no %s', (list, href, status) =>
  inPage(async (page) => {
    const command = await taught(page, list, href)
    const made = await page.request.post(`${URL_OF_SERVER}/api/v1/keys`, { data: { name: list, role: 'source' } })
    const { key } = (await made.json()) as { key: string }
    const url = /curl (\S+)/.exec(command)?.[1] ?? ''
    const data = /-d '(.+)'$/s.exec(command)?.[1]
    expect(command).toContain('-u WRITE_KEY:')
    const headers = { authorization: `Basic ${btoa(`${key}:`)}`, 'content-type': 'application/json' }
    expect((await fetch(url, { method: 'POST', headers, body: data })).status, command).toBe(status)
  }),
)

test('the files that stand on empty pages make a workspace', () =>
  inPage(async (page) => {
    const files: Record<string, string> = {}
    for (const [list, href, path] of [
      ['journeys', '/journeys', 'journeys/welcome.yaml'],
      ['audiences', '/audiences', 'audiences/buyers.yaml'],
      ['templates', '/messages?view=templates', 'templates/hello/email.en.jinja'],
      ['channels', '/sources?view=channels', 'faden.yaml'],
    ] as const) {
      files[path] = `${await taught(page, list, href)}\n`
      if (path !== 'faden.yaml') expect(await page.locator('main').textContent()).toContain(path)
    }
    files['faden.yaml'] =
      `workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\n${files['faden.yaml']}`
    const answer = await page.request.post(`${URL_OF_SERVER}/api/v1/workspace/check`, { data: { files } })
    const { findings } = (await answer.json()) as { findings: { severity: string }[] }
    expect(findings.filter((finding) => finding.severity === 'error')).toEqual([])
  }))

test('it is copied also where the browser gives no clipboard, as over plain HTTP', () =>
  inPage(async (page) => {
    await page.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
    const command = await taught(page, 'profiles', '/people')
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    await page.getByRole('searchbox').focus()
    await page.keyboard.press('Control+V')
    const pasted = await page.getByRole('searchbox').inputValue()
    expect(pasted.replaceAll(/\s/g, '')).toBe(command.replaceAll(/\s/g, ''))
  }))
