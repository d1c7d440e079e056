/** What a caller of the API may do; each scope includes those before it. */
export const SCOPES = ['viewer', 'responder', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];

export function includesScope(held: Scope, wanted: Scope): boolean {
  return SCOPES.indexOf(held) >= SCOPES.indexOf(wanted);
}
