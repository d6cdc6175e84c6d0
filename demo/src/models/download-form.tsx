import { Download as DownloadIcon, ScanSearch } from 'lucide-preact'
import { useState } from 'preact/hooks'
import { formatBytes, formatDuration } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { report } from '../problems/problems.js'
import { keepsModels } from '../storage/store.js'
import { Button } from '../ui/button.js'
import { Field } from '../ui/field.js'
import { Progress } from '../ui/progress.js'
import {
  changeEndpoint,
  type Download,
  downloads,
  ENDPOINTS,
  endpoints,
  hubOf,
  nameOfLocation,
  pauseDownload,
  startDownload,
} from './downloads.js'
import { lookAt, type Outlook } from './outlook.js'

const isLocation = (text: string) =>
  /^(hf|modelscope):[\w.-]+\/[\w.-]+$/.test(text) || /^https?:\/\/\S+$/.test(text)

/** Fetches a model once, to be read from this browser afterwards. */
export function DownloadForm() {
  const [location, setLocation] = useState('')
  const [looking, setLooking] = useState(false)
  const [outlook, setOutlook] = useState<Outlook>()
  const t = strings.value.models
  if (keepsModels.value === false) return null
  const hub = hubOf(location)
  const isComplete = isLocation(location)
  const look = () => {
    setLooking(true)
    lookAt(location)
      .then(setOutlook, report)
      .finally(() => setLooking(false))
  }
  const start = () => {
    if (!isComplete) return
    setOutlook(undefined)
    startDownload({ name: nameOfLocation(location), location })
    setLocation('')
  }
  return (
    <section class="group" aria-label={t.downloadHeading}>
      <h3>{t.downloadHeading}</h3>
      {[...downloads.value].map(([name, download]) => (
        <DownloadView key={name} name={name} download={download} />
      ))}
      <form
        class="download-form"
        onSubmit={(event) => {
          event.preventDefault()
          start()
        }}
      >
        <Field label={t.location} help={t.locationHelp}>
          {(tie) => (
            <input
              {...tie}
              class="input input-code"
              value={location}
              placeholder="hf:owner/chatglm3-6b-int4"
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => {
                setLocation(event.currentTarget.value.trim())
                setOutlook(undefined)
              }}
            />
          )}
        </Field>
        {hub && (
          <Field label={t.endpoint} help={t.endpointHelp}>
            {(tie) => (
              <input
                {...tie}
                class="input input-code"
                type="url"
                value={endpoints.value[hub]}
                placeholder={ENDPOINTS[hub]}
                spellcheck={false}
                onChange={(event) => changeEndpoint(hub, event.currentTarget.value.trim() || ENDPOINTS[hub])}
              />
            )}
          </Field>
        )}
        {outlook && <OutlookView outlook={outlook} />}
        <div class="form-actions">
          <Button small icon={ScanSearch} disabled={!isComplete || looking} onClick={look}>
            {t.look}
          </Button>
          <Button kind="primary" small type="submit" icon={DownloadIcon} disabled={!isComplete}>
            {t.download}
          </Button>
        </div>
      </form>
    </section>
  )
}

/** What a model will need, before it is downloaded. */
function OutlookView({ outlook }: { readonly outlook: Outlook }) {
  const { needed, fits, shortOf } = outlook
  const t = strings.value.models
  return (
    <div class="outlook" role="status">
      <p>
        {t.needs(formatBytes(needed))} {fits && t.fits}
      </p>
      {fits === false && <p class="warning-note">{t.tooLarge}</p>}
      {shortOf !== undefined && <p class="warning-note">{t.noRoom(formatBytes(shortOf))}</p>}
    </div>
  )
}

function DownloadView({ name, download }: { readonly name: string; readonly download: Download }) {
  const t = strings.value.models
  const { progress, bytesPerSecond } = download
  const share = progress && progress.totalBytes > 0 ? progress.doneBytes / progress.totalBytes : undefined
  const left =
    progress && bytesPerSecond > 0 ? (progress.totalBytes - progress.doneBytes) / bytesPerSecond : undefined
  return (
    <div class="download-form">
      <div class="section-head">
        <strong>{name}</strong>
        <Button small onClick={() => pauseDownload(name)}>
          {t.pause}
        </Button>
      </div>
      <Progress label={name} value={share} />
      <p class="download-status">
        {progress ? (
          <span>{t.downloading(formatBytes(progress.doneBytes), formatBytes(progress.totalBytes))}</span>
        ) : (
          <span>{t.checking}</span>
        )}
        {bytesPerSecond > 0 && <span>{t.perSecond(formatBytes(bytesPerSecond))}</span>}
        {left !== undefined && <span>{t.left(formatDuration(left))}</span>}
        {progress && <span>{progress.file}</span>}
      </p>
    </div>
  )
}
