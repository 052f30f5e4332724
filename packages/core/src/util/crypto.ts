let loaded: typeof import('node:crypto') | undefined

/**
 * Node's crypto, when it is needed: an `import` would load all of it, Web Crypto included, in 20 ms.
 */
export function crypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto')
  return loaded
}
