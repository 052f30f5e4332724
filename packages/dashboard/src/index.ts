export { servePage } from './server/serve.ts'
