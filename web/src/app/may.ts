// What the one who is signed in may do. The server decides; this only says so before somebody tries.
import { useMe } from '../api/hooks.ts'
import type { Scope } from '../api/types.ts'
import { useAppTexts } from './texts.ts'

/** A function from a scope to the reason why not, or null when it is allowed. */
export function useRefusal(): (scope: Scope) => string | null {
  const me = useMe()
  const t = useAppTexts()
  return (scope) => {
    if (!me || me.scopes.includes(scope)) return null
    return t('may_not', { role: me.role ?? me.name })
  }
}
