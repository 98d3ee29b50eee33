// The console in a real browser against a real server: FADEN_URL and FADEN_LOGIN say which.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.e2e.ts'],
    globalSetup: ['./sign-in.ts'],
    testTimeout: 40_000,
    hookTimeout: 40_000,
    fileParallelism: false,
  },
})
