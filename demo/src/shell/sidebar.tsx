import {
  Columns2,
  Download,
  Gauge,
  GraduationCap,
  Languages,
  type LucideIcon,
  Monitor,
  Moon,
  Pencil,
  ShieldCheck,
  SquarePen,
  Sun,
  Trash2,
  Upload,
} from 'lucide-preact'
import { useState } from 'preact/hooks'
import { isAnswering } from '../chat/session.js'
import { exportConversations, ImportError, importConversations } from '../conversation/exchange.js'
import {
  addConversations,
  conversations,
  current,
  openConversation,
  removeConversation,
  renameConversation,
  startConversation,
} from '../conversation/store.js'
import type { Conversation } from '../conversation/types.js'
import { trainingShare } from '../finetune/training-share.js'
import { ageOf, formatPercent } from '../i18n/format.js'
import { strings, switchLocale } from '../i18n/index.js'
import { report } from '../problems/problems.js'
import { Button, IconButton } from '../ui/button.js'
import { Confirm } from '../ui/dialog.js'
import { chooseFiles, saveFile } from '../ui/file-choice.js'
import { Menu } from '../ui/menu.js'
import { isSidebarOpen } from './panels.js'
import { show, type View, view } from './route.js'
import { chooseTheme, THEMES, type Theme, theme } from './theme.js'
import { showToast } from './toast.js'

const THEME_ICONS: Readonly<Record<Theme, LucideIcon>> = { auto: Monitor, light: Sun, dark: Moon }

export function Sidebar() {
  const t = strings.value
  const share = trainingShare.value
  const leave = () => {
    isSidebarOpen.value = false
  }
  return (
    <nav class={`sidebar ${isSidebarOpen.value ? 'sidebar-open' : ''}`} aria-label={t.app.menu}>
      <div class="brand">
        <img src="./icon.svg" alt="" width={26} height={26} />
        <strong>{t.app.name}</strong>
      </div>
      <Button
        class="new-chat"
        icon={SquarePen}
        onClick={() => {
          startConversation()
          show('chat')
          leave()
        }}
      >
        {t.conversations.create}
      </Button>
      <ConversationList onOpen={leave} />
      <div class="sidebar-foot">
        <NavLink to="compare" icon={Columns2} label={t.app.compare} />
        <NavLink
          to="finetune"
          icon={GraduationCap}
          label={t.app.finetune}
          {...(share !== undefined && { note: formatPercent(share) })}
        />
        <NavLink to="bench" icon={Gauge} label={t.app.bench} />
        <NavLink to="storage" icon={ShieldCheck} label={t.app.storage} />
        <div class="sidebar-row">
          <ThemeButton />
          <button type="button" class="language" title={t.app.languageLabel} onClick={switchLocale}>
            <Languages size={16} aria-hidden="true" />
            {t.app.language}
          </button>
          <ExchangeMenu />
        </div>
      </div>
    </nav>
  )
}

interface NavLinkProps {
  readonly to: View
  readonly icon: LucideIcon
  readonly label: string
  /** What goes on there. */
  readonly note?: string
}

function NavLink({ to, icon: Icon, label, note }: NavLinkProps) {
  return (
    <a
      class="nav-link"
      href={`#/${to}`}
      aria-current={view.value === to ? 'page' : undefined}
      onClick={() => {
        isSidebarOpen.value = false
      }}
    >
      <Icon size={17} aria-hidden="true" />
      {label}
      {note && <span class="nav-note">{note}</span>}
    </a>
  )
}

function ThemeButton() {
  const t = strings.value.app
  const names = { auto: t.themeAuto, light: t.themeLight, dark: t.themeDark }
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]
  return (
    <IconButton
      icon={THEME_ICONS[theme.value]}
      label={`${t.theme}: ${names[theme.value]}`}
      onClick={() => chooseTheme(next)}
    />
  )
}

function ConversationList({ onOpen }: { readonly onOpen: () => void }) {
  const t = strings.value.conversations
  const all = conversations.value
  const groups = new Map<string, Conversation[]>()
  for (const one of all) {
    const age = ageOf(one.updatedAt)
    groups.set(age, [...(groups.get(age) ?? []), one])
  }
  return (
    <div class="conversations">
      {all.length === 0 && <p class="conversations-empty">{t.empty}</p>}
      {[...groups].map(([age, group]) => (
        <section key={age} aria-label={age}>
          <h2>{age}</h2>
          <ul>
            {group.map((conversation) => (
              <ConversationItem key={conversation.id} conversation={conversation} onOpen={onOpen} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

function ConversationItem({
  conversation,
  onOpen,
}: {
  readonly conversation: Conversation
  readonly onOpen: () => void
}) {
  const [renaming, setRenaming] = useState(false)
  const [removing, setRemoving] = useState(false)
  const { id, title } = conversation
  const t = strings.value.conversations
  const name = title || t.untitled
  const isCurrent = current.value.id === id && view.value === 'chat'
  if (renaming) return <RenameField id={id} title={title} onClose={() => setRenaming(false)} />
  return (
    <li class={`conversation ${isCurrent ? 'conversation-current' : ''}`}>
      <button
        type="button"
        class="conversation-open"
        aria-current={isCurrent ? 'true' : undefined}
        onClick={() => {
          openConversation(id)
          show('chat')
          onOpen()
        }}
      >
        {name}
      </button>
      <Menu
        label={`${strings.value.app.more}: ${name}`}
        items={[
          { label: t.rename, icon: Pencil, onSelect: () => setRenaming(true) },
          {
            label: t.exportOne,
            icon: Download,
            onSelect: () => saveFile('conversation.json', exportConversations([conversation])),
          },
          { label: t.remove, icon: Trash2, danger: true, onSelect: () => setRemoving(true) },
        ]}
      />
      {removing && (
        <Confirm
          question={t.removeAsk(name)}
          action={t.remove}
          onConfirm={() => removeConversation(id)}
          onClose={() => setRemoving(false)}
        />
      )}
    </li>
  )
}

function RenameField({ id, title, onClose }: { id: string; title: string; onClose: () => void }) {
  const [text, setText] = useState(title)
  const finish = () => {
    if (text.trim() !== '') renameConversation(id, text.trim())
    onClose()
  }
  return (
    <li class="conversation">
      <input
        class="input"
        value={text}
        aria-label={strings.value.conversations.rename}
        // biome-ignore lint/a11y/noAutofocus: the user has just asked for it
        autoFocus
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.isComposing) finish()
          if (event.key === 'Escape') {
            event.stopPropagation()
            onClose()
          }
        }}
      />
    </li>
  )
}

/** Takes conversations out of the browser, and into it. */
function ExchangeMenu() {
  const t = strings.value.conversations
  const importAll = async () => {
    const [file] = await chooseFiles({ accept: '.json,application/json' })
    if (!file) return
    try {
      const imported = importConversations(await file.text())
      addConversations(imported)
      showToast(t.imported(imported.length))
    } catch (error) {
      if (error instanceof ImportError) showToast(t.importFailed[error.problem])
      else report(error)
    }
  }
  const exportAll = () => saveFile('conversations.json', exportConversations(conversations.value))
  return (
    <Menu
      label={t.title}
      items={[
        { label: t.import, icon: Upload, onSelect: importAll },
        ...(conversations.value.length > 0 && !isAnswering.value
          ? [{ label: t.exportAll, icon: Download, onSelect: exportAll }]
          : []),
      ]}
    />
  )
}
