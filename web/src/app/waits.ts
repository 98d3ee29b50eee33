// What a passage waits for, in the reader's language. The server says it in English; what is not known here is left.
import { useCallback } from 'react'
import { defineTexts, type Translate } from '../i18n.ts'

const texts = {
  en: {
    quiet: 'waits for the end of quiet hours',
    receipt: 'waits for the receipt of its message',
    child: 'waits for the end of another journey',
    event: 'waits for the event {{event}}',
    entering: 'waits for entering the audience {{audience}}',
    leaving: 'waits for leaving the audience {{audience}}',
    time: 'waits for its time',
    other: 'waits for {{what}}',
  },
  de: {
    quiet: 'wartet auf das Ende der Ruhezeit',
    receipt: 'wartet auf die Quittung der Nachricht',
    child: 'wartet auf das Ende einer anderen Journey',
    event: 'wartet auf das Ereignis {{event}}',
    entering: 'wartet auf den Eintritt in die Zielgruppe {{audience}}',
    leaving: 'wartet auf das Verlassen der Zielgruppe {{audience}}',
    time: 'wartet auf seine Zeit',
    other: 'wartet auf: {{what}}',
  },
} as const

const useTexts = defineTexts('waits', texts)

const SAID: readonly [RegExp, Exclude<keyof typeof texts.en, 'other'>][] = [
  [/^the end of quiet hours$/, 'quiet'],
  [/^a receipt of /, 'receipt'],
  [/^the end of /, 'child'],
  [/^the event (?<event>.+)$/, 'event'],
  [/^entering the audience (?<audience>.+)$/, 'entering'],
  [/^leaving the audience (?<audience>.+)$/, 'leaving'],
  [/^a time$/, 'time'],
]

export function waitsFor(what: string, t: Translate<typeof texts.en>): string {
  for (const [pattern, key] of SAID) {
    const found = pattern.exec(what)
    if (found) return t(key, { ...found.groups })
  }
  return t('other', { what })
}

export function useWaits(): (what: string) => string {
  const t = useTexts()
  return useCallback((what) => waitsFor(what, t), [t])
}
