// npm test: all tests, set up first if it must be. Arguments go to vitest.
import { join } from 'node:path'
import { build, checkNode, install, programs, root, run } from './setup.mjs'

checkNode()
install()
// The processes that integration tests start run the compiled packages.
build()

// What the tests talk to: the program, its Debian package, and the tests that need it. All need Redis.
const needs = [
  ['redis-server', 'redis-server'],
  ['postgres', 'postgresql', 'packages/postgres/**'],
  ['postgres', 'postgresql', 'packages/otel/test/pg.int.test.ts'],
  ['pgbouncer', 'pgbouncer', 'packages/postgres/test/pgbouncer.int.test.ts'],
  ['prometheus', 'prometheus', 'packages/prometheus/test/ops.int.test.ts'],
  ['promtool', 'prometheus', 'packages/prometheus/test/ops.int.test.ts'],
  ['protoc', 'protobuf-compiler', 'packages/otel/test/otlp.int.test.ts'],
  ['chromium', 'chromium', 'packages/email/test/browser.int.test.ts'],
]
const missing = programs(Object.fromEntries(needs))
const left = needs.filter(([program]) => missing.includes(program))
for (const [program, name, tests] of left) {
  console.error(
    `${program} is not installed (Debian, Ubuntu: sudo apt-get install ${name}): ${tests ? `without it ${tests} are left out` : 'the tests need it'}`,
  )
}
if (missing.includes('redis-server')) {
  console.error('macOS: brew install redis')
  process.exit(1)
}
const exclude = left.flatMap(([, , tests]) => ['--exclude', tests])
run(process.execPath, [
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  ...exclude,
  ...process.argv.slice(2),
])
