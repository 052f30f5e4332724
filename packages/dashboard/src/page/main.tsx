import './style/base.css'
import './style/parts.css'
import './style/pages.css'
import './icon.svg'
import { render } from 'preact'
import { listen } from './api/live.ts'
import { App } from './app.tsx'
import { listenToKeys } from './keys.tsx'
import { follow } from './router.ts'
import { applySettings } from './settings.ts'

applySettings()
follow()
listen()
listenToKeys()
const root = document.getElementById('page')
if (root) render(<App />, root)
