// Koa 2 under an alias has no types of its own; what the tests use is the same.
declare module 'koa2' {
  import Koa from 'koa'
  export default Koa
}
