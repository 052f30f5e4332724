import { memoryStore } from '@escapement/core'
import { storeContract } from '@escapement/testing'
import { describe, test } from 'vitest'

describe('memory store', () => {
  const open = async (_name: string, retention = { runs: 100 }) => ({
    store: memoryStore({ limit: retention.runs }),
    close: async () => {},
  })
  for (const { name, run } of storeContract({ open, durable: false, queried: 10_000 }))
    test(name, run, 30_000)
})
