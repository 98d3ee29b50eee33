// Which role may what, as the server's table of scopes has it (crates/server/src/keys.rs, `Role::scopes`).

export const SCOPES = [
  'events_write',
  'decide',
  'profiles_read',
  'profiles_write',
  'workspace_read',
  'workspace_write',
  'operate',
  'admin',
] as const
export type Scope = (typeof SCOPES)[number]

export const ROLES = ['admin', 'designer', 'analyst', 'agent', 'source'] as const
export type Role = (typeof ROLES)[number]

export const SCOPES_OF: Record<Role, readonly Scope[]> = {
  admin: SCOPES,
  designer: ['decide', 'profiles_read', 'workspace_read', 'workspace_write', 'operate'],
  analyst: ['profiles_read', 'workspace_read'],
  agent: ['decide', 'profiles_read', 'profiles_write', 'workspace_read'],
  source: ['events_write'],
}
