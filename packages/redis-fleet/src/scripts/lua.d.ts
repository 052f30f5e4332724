/** A Lua script as a text, without its comments: the build reads the file. */
declare module '*.lua' {
  const text: string
  export default text
}
