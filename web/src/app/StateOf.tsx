// The state of a message, an enrollment, a consent or a channel, as the API names it.
import { State } from '../ui/State.tsx'
import { STATES, useAppTexts } from './texts.ts'

export function StateOf({ state }: { state: string }) {
  const t = useAppTexts()
  const known = STATES[state]
  return known ? <State tone={known.tone}>{t(known.text)}</State> : <State tone="idle">{state}</State>
}
