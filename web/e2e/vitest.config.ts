// The console in a real browser against a real server: FADEN_URL and FADEN_LOGIN say which.
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

/** By name, so that every run is the same one: what loads the server comes after what only looks. */
class ByName extends BaseSequencer {
  override sort(files: Parameters<BaseSequencer['sort']>[0]) {
    return Promise.resolve(files.toSorted((one, other) => one.moduleId.localeCompare(other.moduleId)))
  }
}

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.e2e.ts'],
    globalSetup: ['./sign-in.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    sequence: { sequencer: ByName },
  },
})
