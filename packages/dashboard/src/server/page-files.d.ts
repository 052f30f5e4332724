declare module '*.page' {
  /** The text of each built file by its name: a script, a style sheet, pictures. */
  const files: Readonly<Record<string, string>>
  export default files
}
