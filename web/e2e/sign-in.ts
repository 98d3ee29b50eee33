// Signs in once for all tests: by the one-time link, else by a key.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { launch, URL_OF_SERVER } from './browser.ts'

export default async function signIn(project: TestProject) {
  const link = process.env.FADEN_LOGIN
  const kept = process.env.FADEN_SESSION
  if (kept && !link) {
    project.provide('session', await readFile(kept, 'utf8'))
    return
  }
  if (!link)
    throw new Error('set FADEN_LOGIN to the one-time link that the server printed, or FADEN_SESSION to a kept session')
  const browser = await launch()
  try {
    const context = await browser.newContext({ baseURL: URL_OF_SERVER })
    const page = await context.newPage()
    await page.goto(link)
    await page.getByRole('navigation').waitFor({ timeout: 30_000 })
    const session = JSON.stringify(await context.storageState())
    const file = kept ?? join(await mkdtemp(join(tmpdir(), 'faden-console-')), 'session.json')
    await writeFile(file, session)
    console.info(`signed in; the link is used up, FADEN_SESSION=${file} signs in again`)
    project.provide('session', session)
  } finally {
    await browser.close()
  }
}
