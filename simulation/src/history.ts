/** What happened in a simulation, in true time: what the checker reads and a story is made of. */
export type Fact = { readonly t: number; readonly who: string } & (
  | {
      readonly what: 'start'
      readonly job: string
      readonly tick: string
      readonly at: number
      readonly start: number
      readonly fence: number | undefined
      readonly cause: string
      /** What the wall clock of the instance shows, in ms. */
      readonly clock: number
    }
  | {
      readonly what: 'work' | 'finish'
      readonly job: string
      readonly tick: string
      readonly start: number
      readonly fence: number | undefined
    }
  | {
      readonly what: 'settled'
      readonly job: string
      readonly tick: string
      readonly at: number
      readonly start: number
      readonly outcome: string
      readonly reason: string | undefined
      readonly until: number | undefined
      readonly error: string | undefined
    }
  | {
      readonly what: 'lost'
      readonly job: string
      readonly tick: string
      readonly by: string | undefined
      readonly start?: number
    }
  | { readonly what: 'pause' | 'resume'; readonly job: string }
  | { readonly what: 'fenced'; readonly job: string; readonly tick: string; readonly by: string }
  | {
      readonly what: 'life'
      readonly event: 'boot' | 'ready' | 'kill' | 'stopping' | 'stopped' | 'cannot-start'
      readonly why?: string
    }
  | { readonly what: 'fault'; readonly text: string }
  | { readonly what: 'crash'; readonly text: string }
)

export type History = Fact[]
