export { build as setup } from './setup.mjs'
