import { Database, HardDrive, type LucideIcon, Package, Palette, Trash2 } from 'lucide-preact'
import { useEffect, useState } from 'preact/hooks'
import { conversations, forgetConversations, keepsConversations } from '../conversation/store.js'
import { formatBytes } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { closeModel } from '../model/model.js'
import { report } from '../problems/problems.js'
import { showToast } from '../shell/toast.js'
import { Button } from '../ui/button.js'
import { Confirm } from '../ui/dialog.js'
import { blockedCount, forgetOffline, isGated, keptFiles, openOrigins } from './offline.js'
import { StorageUsage } from './storage-usage.js'
import { deleteAllStored, keepsModels, refreshStore, storedItems } from './store.js'

/** What is stored where, what may connect whereto, and how to be rid of it all. */
export function StorageView() {
  const t = strings.value.storage
  const [files, setFiles] = useState(0)
  useEffect(() => {
    refreshStore()
    keptFiles().then(setFiles)
    // The service worker takes over once it keeps everything.
  }, [isGated.value])
  const items = storedItems.value
  const bytes = formatBytes(items.reduce((sum, item) => sum + item.bytes, 0))
  return (
    <div class="view-scroll">
      <div class="column column-view">
        <header class="view-header">
          <h1>{t.title}</h1>
          <p>{t.intro}</p>
        </header>
        <ul class="places">
          <Place
            icon={Database}
            name={t.conversations}
            where={t.conversationsNote}
            what={keepsConversations.value ? t.count(conversations.value.length) : t.notKept}
          />
          <Place
            icon={HardDrive}
            name={t.models}
            where={t.modelsNote}
            what={keepsModels.value ? t.items(items.length, bytes) : t.notKept}
          />
          <Place
            icon={Package}
            name={t.app}
            where={t.appNote}
            what={files > 0 ? t.files(files) : t.notKept}
          />
          <Place icon={Palette} name={t.choices} where={t.choicesNote} what="" />
        </ul>
        <StorageUsage />
        <section class="view-section">
          <h2>{t.network}</h2>
          <p>{t.networkText}</p>
          <p class="view-note">
            {!isGated.value
              ? t.networkUngated
              : openOrigins.value.length > 0
                ? openOrigins.value.join(', ')
                : t.networkNone}
            {blockedCount.value > 0 && ` ${t.blocked(blockedCount.value)}`}
          </p>
        </section>
        <DeleteAll onDeleted={() => setFiles(0)} />
      </div>
    </div>
  )
}

interface PlaceProps {
  readonly icon: LucideIcon
  readonly name: string
  readonly where: string
  readonly what: string
}

function Place({ icon: Icon, name, where, what }: PlaceProps) {
  return (
    <li class="place">
      <Icon size={19} aria-hidden="true" />
      <div class="place-name">
        <strong>{name}</strong>
        <span>{where}</span>
      </div>
      <span class="place-what">{what}</span>
    </li>
  )
}

function DeleteAll({ onDeleted }: { readonly onDeleted: () => void }) {
  const [asking, setAsking] = useState(false)
  const t = strings.value.storage
  const deleteAll = async () => {
    try {
      closeModel()
      await forgetConversations()
      await deleteAllStored()
      await forgetOffline()
      localStorage.clear()
      onDeleted()
      showToast(t.deleted)
    } catch (error) {
      report(error)
    }
  }
  return (
    <>
      <Button kind="danger" icon={Trash2} onClick={() => setAsking(true)}>
        {t.deleteAll}
      </Button>
      {asking && (
        <Confirm
          question={t.deleteAllAsk}
          action={t.deleteAll}
          onConfirm={deleteAll}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}
