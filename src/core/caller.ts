// The caller: the facts of a validated token, and the personas that its roles amount to.

/** The personas from most to least; each may do what those after it may. */
export const personas = ['admin', 'manager', 'member', 'reader'] as const
export type Persona = (typeof personas)[number]

export interface Caller {
  readonly userId: string
  readonly userName: string
  /** The project that the token is scoped to; null for an unscoped, domain or system token. */
  readonly projectId: string | null
  readonly projectName: string | null
  readonly roles: readonly string[]
  /** `req-<uuid>`: on the answer, in every log line and in every outgoing call of this request. */
  readonly requestId: string
}

/** The caller of changes that nobody asked for: Atoll itself. */
export const ownCaller = (requestId: string): Caller => ({
  userId: 'atoll',
  userName: 'atoll',
  projectId: null,
  projectName: null,
  roles: [],
  requestId,
})

/** True when the caller's roles, in a project, amount to at least `needed` (admin > manager > member > reader). */
export function isAtLeast(caller: Caller, needed: Persona): boolean {
  if (caller.projectId === null) return false
  const enough = personas.slice(0, personas.indexOf(needed) + 1)
  return caller.roles.some(role => (enough as readonly string[]).includes(role))
}
