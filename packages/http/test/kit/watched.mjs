// node --watch watched.mjs app.mjs …: a file that can be touched, which loads the app.
import { pathToFileURL } from 'node:url'

process.argv.splice(1, 1)
await import(pathToFileURL(process.argv[1]).href)
