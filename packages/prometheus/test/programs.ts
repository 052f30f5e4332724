import { type ExecFileException, execFile } from 'node:child_process'

/** Runs a program to its end, with `input` on its stdin. */
export function run(program: string, args: string[], input = ''): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, (error: ExecFileException | null, stdout, stderr) => {
      if (error?.code === 'ENOENT') reject(missing(program))
      else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr })
    })
    child.stdin?.end(input)
  })
}

export function missing(program: string): Error {
  return new Error(`${program} is needed: apt-get install prometheus, or brew install prometheus`)
}
