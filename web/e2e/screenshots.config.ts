// Pictures of every page, into the folder that SHOTS names: never part of the test run.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['screenshots.ts'],
    globalSetup: ['./sign-in.ts'],
    testTimeout: 600_000,
    hookTimeout: 40_000,
  },
})
