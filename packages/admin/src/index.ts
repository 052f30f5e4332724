/** The HTTP API of a scheduler: see and run the fleet from outside. */

export { type Admin, admin } from './admin.ts'
export { type Auth, basicAuth, type Identity, type Role, tokenAuth } from './auth/auth.ts'
export type { AdminOptions, Hidden } from './options.ts'
export { segmentOf } from './router.ts'
export type * from './types.ts'
