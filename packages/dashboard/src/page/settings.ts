import { effect, signal } from '@preact/signals'

export type Theme = 'auto' | 'light' | 'dark'
export type Language = 'en' | 'zh'
export type Times = 'local' | 'job' | 'utc'

/** What the reader has chosen; kept in this browser. */
export const theme = signal<Theme>(kept('theme', ['auto', 'light', 'dark']))
export const language = signal<Language>(
  kept('language', navigator.language.startsWith('zh') ? ['zh', 'en'] : ['en', 'zh']),
)
export const times = signal<Times>(kept('times', ['local', 'job', 'utc']))

function kept<T extends string>(name: string, allowed: readonly [T, ...T[]]): T {
  try {
    const value = localStorage.getItem(`escapement.${name}`)
    return allowed.find((each) => each === value) ?? allowed[0]
  } catch {
    return allowed[0]
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`escapement.${name}`, value)
  } catch {
    // A browser that keeps nothing shows the page all the same.
  }
}

/** Follows the choices: the document's theme and language. */
export function applySettings(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value
    keep('theme', theme.value)
  })
  effect(() => {
    document.documentElement.lang = language.value
    keep('language', language.value)
  })
  effect(() => keep('times', times.value))
}
