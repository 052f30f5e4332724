#!/usr/bin/env node
import { main } from './main.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader has seen enough: `escapement next … | head -1`.
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
const code = main(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
})
if (typeof code === 'number') process.exitCode = code
else
  void code.then((exit) => {
    process.exitCode = exit
  })
