/** One test of a contract. Give it to any runner: `for (const { name, run } of cases) test(name, run)`. */
export interface Case {
  readonly name: string
  run(): Promise<void>
}
