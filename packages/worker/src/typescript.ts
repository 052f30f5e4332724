import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { EscapementError } from '@escapement/core'
import { describe } from '@escapement/core/plugin'

/** What Node says of TypeScript that it cannot run: in the file itself, or in one that it imports. */
const NOT_RUN = [
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
]

let prepared: Promise<boolean> | undefined

/**
 * Imports the module of a handler in its thread. The loaders of the main thread do not reach threads, so one in TypeScript is
 * given to tsx, where that is installed, and else to Node, which can from version 22.18 on.
 *
 * @throws ERR_ESCAPEMENT_HANDLER
 */
export async function load(module: string): Promise<Record<string, unknown>> {
  if (!/\.[cm]?tsx?$/.test(module)) return import(module)
  prepared ??= prepare(module)
  const helped = await prepared
  try {
    return await import(module)
  } catch (cause) {
    const { code, message } = describe(cause)
    if (helped || !NOT_RUN.includes(code ?? '')) throw cause
    const hint = 'install tsx, or give worker() the file that is built of it'
    const text = `worker: this Node (${process.version}) cannot run TypeScript in a thread: ${hint}: ${message}`
    throw new EscapementError('ERR_ESCAPEMENT_HANDLER', text, { cause })
  }
}

/** Registers tsx in this thread: the one that is installed beside the module, or that runs the app. */
async function prepare(module: string): Promise<boolean> {
  const loaders = process.execArgv.filter((each) => each.startsWith('file:'))
  for (const from of [module, ...loaders]) {
    try {
      const require = createRequire(from)
      const file = require.resolve('tsx/package.json')
      const { exports } = require(file)
      for (const api of ['./esm/api', './cjs/api']) {
        // What require() resolves to does not find its own loader.
        const { register } = await import(new URL(exports[api].import.default, pathToFileURL(file)).href)
        register()
      }
      return true
    } catch {
      // It is not installed there.
    }
  }
  return false
}
