// Builds the console into dist/, which the server embeds. `npm run dev` serves it beside a running server.
import optimizeLocales from '@react-aria/optimize-locales-plugin'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const server = process.env.FADEN_URL ?? 'http://127.0.0.1:7700'
const proxy = { '/api': server, '/login': server, '/v1': server }

export default defineConfig({
  plugins: [{ ...optimizeLocales.vite({ locales: ['en-US', 'de-DE'] }), enforce: 'pre' }, react()],
  build: {
    target: ['chrome125', 'firefox128', 'safari17.5'],
    // Fonts stay files: the Content-Security-Policy allows no data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy },
  preview: { proxy },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'] },
})
