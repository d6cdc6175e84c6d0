import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/shell.css'
import './styles/chat.css'
import './styles/markdown.css'
import './styles/panels.css'
import './styles/views.css'
import { render } from 'preact'
import { App } from './app.js'
import { warmUp } from './chat/warm-up.js'
import { openConversations } from './conversation/store.js'
import { watchProblems } from './problems/watch.js'
import { startOffline } from './storage/offline.js'
import { refreshStore } from './storage/store.js'

render(<App />, document.getElementById('app')!)
openConversations()
refreshStore()
watchProblems()
startOffline()
warmUp()
