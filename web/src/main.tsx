// Where the console starts in the browser.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Problem } from './api/client.ts'
import { fetchPagesInIdleTime, router } from './app/router.tsx'
import { applyTheme, storedTheme } from './app/theme.ts'
import './tokens.css'
import './fonts.css'
import './base.css'

applyTheme(storedTheme())

const RETRIES_MAX = 2
const cache = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server refused it refuses again; only what never arrived is worth another try.
      retry: (failures, error) => failures < RETRIES_MAX && !(error instanceof Problem && error.status >= 400),
    },
  },
})

const element = document.getElementById('root')
if (!element) throw new Error('index.html has no element with the id root')
createRoot(element).render(
  <StrictMode>
    <QueryClientProvider client={cache}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
window.addEventListener('load', fetchPagesInIdleTime, { once: true })
