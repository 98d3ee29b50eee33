// Light or dark: as the system says, unless somebody chose.
import { useState } from 'react'

export type Theme = 'system' | 'light' | 'dark'
const STORED = 'faden.theme'

export const storedTheme = (): Theme => {
  const stored = localStorage.getItem(STORED)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

export function applyTheme(theme: Theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(storedTheme)
  const choose = (chosen: Theme) => {
    localStorage.setItem(STORED, chosen)
    applyTheme(chosen)
    setTheme(chosen)
  }
  return [theme, choose]
}
