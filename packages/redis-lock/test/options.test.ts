import { inspect } from 'node:util'
import { createScheduler, EscapementError } from '@escapement/core'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { expect, test } from 'vitest'
import { unsafeOptions } from '../src/connection/client.ts'
import { redacted, scrub, secretsOf } from '../src/connection/url.ts'
import { redisLock } from '../src/index.ts'
import { parseOptions, type RedisLockOptions } from '../src/options.ts'

const clients = ['redis://localhost:6379']

test('the defaults', () => {
  expect(parseOptions({ clients })).toEqual({
    clients,
    namespace: 'escapement',
    lease: 15_000,
    heartbeat: 5000,
    scan: 5000,
    retention: 900_000,
    maxLate: 30_000,
    maxClockSkew: 5000,
    onAbandoned: undefined,
    maxRestarts: 2,
    onLockUnavailable: undefined,
    minHold: 0,
    replicaAcks: 0,
    fleet: true,
    guard: true,
    timeout: 500,
    early: 50,
  })
})

test.each<[string, Record<string, unknown>, string]>([
  ['no clients', { clients: [] }, 'clients must be an array of ioredis clients'],
  ['a client twice', { clients: [clients[0], clients[0]] }, 'clients must be different servers'],
  ['not a client', { clients: [{}] }, 'clients must be ioredis clients'],
  ['not a URL', { clients: ['localhost'] }, 'clients must be redis:// or rediss:// URLs'],
  [
    'one server by two names',
    { clients: ['redis://localhost', 'redis://me:pw@127.0.0.1:6379/3'] },
    'index 1',
  ],
  ...(
    ['redis://[::1]', 'redis://LOCALHOST/2', 'redis://localhost.', 'redis://[::ffff:127.0.0.1]:6379'] as const
  ).map((url): [string, Record<string, unknown>, string] => [
    `one server by its other name ${url}`,
    { clients: ['redis://127.0.0.1', url] },
    'index 1',
  ]),
  ['no array', { clients: clients[0] }, 'clients must be an array of ioredis clients'],
  ['a client of another package', { clients: [{ evalSha() {} }] }, 'clients must be ioredis clients'],
  ['a path that is no database', { clients: ['redis://localhost/abc'] }, 'the number of a database'],
  ['a host that is missing', { clients: ['redis://:6379'] }, 'clients must be redis:// or rediss:// URLs'],
  ['an unknown option', { leese: 5 }, 'there is no redisLock() option "leese": did you mean lease?'],
  ['the option of another package', { ttl: 5 }, 'did you mean lease?'],
  ['nothing for a duration', { lease: null }, 'lease: expected a duration'],
  ['nothing for a number', { maxRestarts: null }, 'maxRestarts must be a whole number'],
  ['nothing for a policy', { onLockUnavailable: null }, "onLockUnavailable must be 'skip' or 'run'"],
  ['nothing for a guard', { guard: null }, 'guard must be true or false'],
  ['a number in a string', { maxRestarts: '3' }, 'maxRestarts must be a whole number'],
  ['half a restart', { maxRestarts: 2.5 }, 'maxRestarts must be a whole number'],
  ['a bad namespace', { namespace: '{x}' }, 'namespace must be'],
  ['a short lease', { lease: 10 }, 'lease: must be at least 200ms'],
  ['not a duration', { scan: 'soon' }, 'scan: expected a duration'],
  [
    'a heartbeat too slow',
    { lease: 3000, heartbeat: 2000 },
    'heartbeat must be at most half the lease (1500 ms)',
  ],
  ['a short retention', { retention: '1m' }, 'retention must be at least maxLate + 3'],
  ['a policy that is none', { onAbandoned: 'again' }, "onAbandoned must be 'record' or 'rerun'"],
  ['another', { onLockUnavailable: 'wait' }, "onLockUnavailable must be 'skip' or 'run'"],
  ['fewer than none', { maxRestarts: -1 }, 'maxRestarts must be a whole number from 0 to 1000'],
  ['half a replica', { replicaAcks: 0.5 }, 'replicaAcks must be a whole number'],
  ['a guard that is no boolean', { guard: 'yes' }, 'guard must be true or false'],
  ['a hold longer than the lease', { minHold: '1m' }, 'minHold: must be at most 15s'],
])('%s is refused', (_, given, message) => {
  const make = () => redisLock({ clients, ...given } as RedisLockOptions)
  expect(make).toThrow(EscapementError)
  expect(make).toThrow(message)
})

test('replicas of a Cluster cannot be waited for', () => {
  const cluster = new Cluster([{ host: 'localhost' }], { lazyConnect: true })
  expect(() => redisLock({ clients: [cluster], replicaAcks: 1 })).toThrow(
    'replicaAcks must be 0 with a Cluster client',
  )
})

test('options that are no object are refused', () => {
  for (const given of [undefined, null, 'redis://:hidden@host', [], 5]) {
    expect(() => redisLock(given as unknown as RedisLockOptions)).toThrow(
      /^(?!.*hidden)redisLock\(\) options must/,
    )
  }
})

test('a password is not shown', () => {
  expect(redacted('redis://me:secret@host:1')).toBe('redis://…@host:1')
  expect(() => redisLock({ clients: ['http://me:secret@host'] })).toThrow(/^(?!.*secret)/)
})

const PASSWORD = 'hidden'
test.each([
  ['redis://:hidden@host:6379/2', 'redis://…@host:6379/2'],
  ['redis://:hidden@hidden@host', 'redis://…@host'],
  ['redis://:hid%40hidden@host', 'redis://…@host'],
  ['redis://:hidden%zz@host', 'redis://…@host'],
  ['redis://host?password=hidden', 'redis://host'],
  ['redis://host:1?db=3&password=a@hidden', 'redis://host:1'],
  ['redis://host?sentinelPassword=hidden', 'redis://host'],
  ['redis://hidden:hidden@host', 'redis://…@host'],
  ['redis://:a/hidden@host', 'redis://…'],
  ['redis://hidden:12/x@host', 'redis://…'],
  ['redis://:a#hidden@host', 'redis://…'],
  ['redis://hidden:12?x@host', 'redis://…'],
  ['redis://hidden:12#x@host', 'redis://…'],
  ['redis://hidden:12?a=x@host', 'redis://…'],
])('what is shown of %s', (url, shown) => {
  expect(redacted(url)).toBe(shown)
  const errors: unknown[] = []
  for (const clients of [[url], url, [url, url], [`${url} `], [url.replace('redis', 'http')]]) {
    try {
      redisLock({ clients } as unknown as RedisLockOptions)
    } catch (error) {
      errors.push(error)
    }
  }
  expect(errors.length).toBeGreaterThan(3)
  for (const error of errors) {
    expect(error).toBeInstanceOf(EscapementError)
    expect(inspect(error)).not.toContain(PASSWORD)
  }
})

test.each([
  ['redis://:p@ss/word@host', 'getaddrinfo ENOTFOUND p@ss'],
  ['redis://me:pass%40word@host', 'invalid password pass@word or pass%40word'],
  ['redis://host?password=pass%40word', 'AUTH pass@word'],
])('the parts of the password of %s are taken out of messages', (url, message) => {
  expect(scrub(message, secretsOf(url))).not.toMatch(/p@ss|pass@word|pass%40word/)
})

test('the passwords of clients are taken out of messages', () => {
  const options = { password: 'one11', sentinelPassword: 'two22', redisOptions: { password: 'three' } }
  expect(scrub('one11 two22 three', secretsOf(options))).toBe('*** *** ***')
})

test.each([
  ['5', (options: object) => new Redis5(options)],
  ['6', (options: object) => new Redis(options)],
])('unsafe options of a client of ioredis %s are named', (_, make) => {
  const plain = make({ lazyConnect: true })
  expect(unsafeOptions(plain)).toEqual([
    'enableOfflineQueue: true (better: false)',
    'maxRetriesPerRequest: 20 (better: 0)',
    'autoResendUnfulfilledCommands: true (better: false)',
    'commandTimeout: none (better: 500)',
  ])
  const safe = make({
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 500,
  })
  expect(unsafeOptions(safe)).toEqual([])
})

test('its policies are the defaults of jobs, below those of the scheduler and of the job', () => {
  const plugin = () => redisLock({ clients, onAbandoned: 'rerun', onLockUnavailable: 'run' })
  const plain = createScheduler({ plugins: [plugin()] })
  expect(plain.job('a', '* * * * *', () => {}).policies).toMatchObject({
    onAbandoned: 'rerun',
    onLockUnavailable: 'run',
  })
  expect(plain.job('b', '* * * * *', { onAbandoned: 'record' }, () => {}).policies.onAbandoned).toBe('record')
  const told = createScheduler({ plugins: [plugin()], defaults: { onLockUnavailable: 'skip' } })
  expect(told.job('a', '* * * * *', () => {}).policies).toMatchObject({
    onAbandoned: 'rerun',
    onLockUnavailable: 'skip',
  })
})

test('one lock cannot serve two schedulers', () => {
  const plugin = redisLock({ clients })
  createScheduler({ plugins: [plugin] })
  expect(() => createScheduler({ plugins: [plugin] })).toThrow(
    'each scheduler needs a redisLock() of its own',
  )
})
