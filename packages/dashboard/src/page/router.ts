import { signal } from '@preact/signals'

/** Where the page is: `#/jobs/invoices?text=x` is `['jobs', 'invoices']` with `text`. */
export interface Route {
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

export const route = signal<Route>(read())

export function follow(): void {
  addEventListener('hashchange', () => {
    const before = route.value.path.join('/')
    route.value = read()
    if (before !== route.value.path.join('/')) {
      scrollTo(0, 0)
      document.querySelector('main')?.focus({ preventScroll: true })
    }
  })
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function href(
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value) params.set(name, value)
  const rest = params.size > 0 ? `?${params}` : ''
  return `#/${path.map(encodeURIComponent).join('/')}${rest}`
}

export function go(path: readonly string[], query?: Readonly<Record<string, string | undefined>>): void {
  location.hash = href(path, query)
}

/** Changes one filter in the URL, without a step in the browser's history. */
export function filter(name: string, value: string | undefined): void {
  const query = Object.fromEntries(route.value.query)
  const next = href(route.value.path, { ...query, [name]: value })
  history.replaceState(null, '', next)
  route.value = read()
}
