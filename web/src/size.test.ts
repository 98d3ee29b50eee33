// Holds the first load to its figure: the scripts that index.html names, those of the first page, which is Today with
// its chart, and all that they import at once.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

const DIST = new URL('../dist/', import.meta.url)
const FIRST_LOAD_BYTES_MAX = 300_000

function scripts(names: string[], found = new Map<string, string>()): Map<string, string> {
  for (const name of names) {
    if (found.has(name)) continue
    const text = readFileSync(new URL(`assets/${name}`, DIST), 'utf8')
    found.set(name, text)
    scripts(
      [...text.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)].map((match) => match[1] ?? ''),
      found,
    )
  }
  return found
}

test.skipIf(!existsSync(DIST))('the first page loads under 300 KB of script, gzipped', () => {
  const html = readFileSync(new URL('index.html', DIST), 'utf8')
  const named = [...html.matchAll(/assets\/([\w.-]+\.js)/g)].map((match) => match[1] ?? '')
  const today = readdirSync(new URL('assets/', DIST)).filter((name) => /^(today|TimeChart)-.+\.js$/.test(name))
  expect(today).toHaveLength(2)
  const loaded = scripts([...named, ...today])
  const bytes = [...loaded.values()].reduce((sum, text) => sum + gzipSync(text).length, 0)
  console.info(`first load: ${bytes} bytes gzipped in ${loaded.size} scripts`)
  expect(bytes).toBeLessThan(FIRST_LOAD_BYTES_MAX)
})
