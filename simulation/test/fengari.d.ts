declare module 'fengari' {
  // biome-ignore lint/suspicious/noExplicitAny: the package has no types
  type Untyped = any
  const fengari: {
    lua: Untyped
    lauxlib: Untyped
    lualib: Untyped
    to_luastring(text: string): Uint8Array
    to_jsstring(text: Uint8Array): string
  }
  export default fengari
}
