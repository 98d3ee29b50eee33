// Which role may what, as the server's table of scopes has it (crates/server/src/keys.rs, `Role::scopes`).
import type { Role, Scope } from '../../api/types.ts'

export const SCOPES = [
  'events_write',
  'decide',
  'profiles_read',
  'profiles_write',
  'workspace_read',
  'workspace_write',
  'operate',
  'admin',
] as const satisfies readonly Scope[]

export const ROLES = ['admin', 'designer', 'analyst', 'agent', 'source'] as const satisfies readonly Role[]

export const SCOPES_OF: Record<Role, readonly Scope[]> = {
  admin: SCOPES,
  designer: ['decide', 'profiles_read', 'workspace_read', 'workspace_write', 'operate'],
  analyst: ['profiles_read', 'workspace_read'],
  agent: ['decide', 'profiles_read', 'profiles_write', 'workspace_read'],
  source: ['events_write'],
}
