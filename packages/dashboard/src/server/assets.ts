import { createHash } from 'node:crypto'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import files from '../page/main.page'

/** A file of the page, as it is sent. */
export interface Asset {
  readonly type: string
  readonly etag: string
  /** Its name carries a hash: it never changes. */
  readonly immutable: boolean
  /** By content encoding. */
  body(encoding: Encoding): Uint8Array<ArrayBuffer>
}

export type Encoding = 'br' | 'gzip' | 'identity'

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  html: 'text/html; charset=utf-8',
}

/** All files of the page by path, each compressed once, when it is first asked for. */
export function assets(): ReadonlyMap<string, Asset> {
  const all = new Map<string, Asset>()
  for (const [name, text] of Object.entries(files)) all.set(`assets/${name}`, asset(name, text, true))
  all.set('', asset('index.html', index(Object.keys(files)), false))
  return all
}

function asset(name: string, text: string, immutable: boolean): Asset {
  const plain = new TextEncoder().encode(text)
  const bodies = new Map<Encoding, Uint8Array<ArrayBuffer>>([['identity', plain]])
  return {
    type: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    etag: createHash('sha256').update(text).digest('base64url').slice(0, 16),
    immutable,
    body(encoding) {
      let body = bodies.get(encoding)
      if (!body) {
        body = new Uint8Array(encoding === 'br' ? brotliCompressSync(plain) : gzipSync(plain))
        bodies.set(encoding, body)
      }
      return body
    },
  }
}

/** Relative URLs only: the page works under any prefix, also one that a proxy takes away. */
function index(names: readonly string[]): string {
  const named = (end: string) => names.find((name) => name.endsWith(end)) ?? ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Escapement</title>
<link rel="icon" type="image/svg+xml" href="assets/${named('.svg')}">
<link rel="stylesheet" href="assets/${named('.css')}">
<script type="module" src="assets/${named('.js')}"></script>
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`
}
