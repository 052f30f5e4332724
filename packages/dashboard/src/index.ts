/** The page on scheduled jobs. */

export { type AdminOptions, basicAuth, tokenAuth } from '@escapement/admin'
export { type Dashboard, dashboard } from './server/dashboard.ts'
export { servePage } from './server/serve.ts'
