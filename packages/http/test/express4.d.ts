// Express 4 under an alias has no types of its own; what the tests use is the same.
declare module 'express4' {
  import express from 'express'
  export default express
}
