// Lua files as modules: `import text from './claim.lua'`. Comments stay in the source, since Redis need not read them.
import { readFileSync } from 'node:fs'

/** A plugin of rolldown and vite. `edit` changes a file before it is used. */
export function lua(edit = (text) => text) {
  return {
    name: 'lua',
    load(id) {
      if (!id.endsWith('.lua')) return
      const text = withoutComments(edit(readFileSync(id, 'utf8'), id))
      return { code: `export default ${JSON.stringify(text)}`, moduleType: 'js' }
    },
  }
}

/** Without lines that are comments, empty lines and indents. */
function withoutComments(text) {
  const lines = text.split('\n').map((line) => line.trim())
  return `${lines.filter((line) => line !== '' && !line.startsWith('--')).join('\n')}\n`
}
