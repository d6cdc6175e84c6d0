import { Pencil, Plus, Trash2 } from 'lucide-preact'
import { useState } from 'preact/hooks'
import { changeSettings, currentSettings } from '../conversation/store.js'
import type { Tool } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { showToast } from '../shell/toast.js'
import { Button, IconButton } from '../ui/button.js'
import { emptyTool, exampleTool } from './examples.js'
import { ToolDialog } from './tool-dialog.js'

/** The tools of the shown conversation. */
export function ToolSettings() {
  const [edited, setEdited] = useState<Tool>()
  const { tools } = currentSettings.value
  const t = strings.value
  const put = (tool: Tool) => {
    const others = tools.some(({ id }) => id === tool.id)
      ? tools.map((one) => (one.id === tool.id ? tool : one))
      : [...tools, tool]
    changeSettings({ tools: others })
  }
  const addExample = () => {
    put(exampleTool())
    showToast(t.tools.exampleAdded(t.chat.toolSuggestion))
  }
  return (
    <section class="panel-section">
      <h3>{t.tools.title}</h3>
      <p class="section-note">{t.tools.intro}</p>
      {tools.length > 0 && (
        <ul class="tool-list">
          {tools.map((tool) => (
            <li key={tool.id}>
              <input
                class="switch"
                type="checkbox"
                role="switch"
                aria-label={`${tool.name}: ${t.tools.enabled}`}
                checked={tool.enabled}
                aria-checked={tool.enabled}
                onChange={(event) => put({ ...tool, enabled: event.currentTarget.checked })}
              />
              <div class="tool-name">
                <code>{tool.name}</code>
                <span>{tool.body.trim() === '' ? t.tools.byHand : t.tools.byCode}</span>
              </div>
              <IconButton
                icon={Pencil}
                size={16}
                label={`${t.tools.edit}: ${tool.name}`}
                onClick={() => setEdited(tool)}
              />
              <IconButton
                icon={Trash2}
                size={16}
                label={`${t.app.delete}: ${tool.name}`}
                onClick={() => changeSettings({ tools: tools.filter(({ id }) => id !== tool.id) })}
              />
            </li>
          ))}
        </ul>
      )}
      <div class="button-row">
        <Button small icon={Plus} onClick={() => setEdited(emptyTool())}>
          {t.tools.add}
        </Button>
        {tools.length === 0 && (
          <Button small kind="quiet" onClick={addExample}>
            {t.tools.example}
          </Button>
        )}
      </div>
      {edited && (
        <ToolDialog
          tool={edited}
          others={tools.filter(({ id }) => id !== edited.id)}
          onSave={put}
          onClose={() => setEdited(undefined)}
        />
      )}
    </section>
  )
}
