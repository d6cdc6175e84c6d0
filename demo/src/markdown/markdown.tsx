import { Check, Copy } from 'lucide-preact'
import { memo } from 'preact/compat'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { strings } from '../i18n/index.js'
import { IconButton } from '../ui/button.js'
import { useCopied } from '../ui/use-copied.js'
import { GrowingMarkdown, readMarkdown } from './read.js'
import { type Block, renderBlocks } from './render.js'

interface MarkdownProps {
  readonly text: string
  /** Whether more will come. */
  readonly live: boolean
}

/** An answer, safe to show whatever the model wrote. */
export function Markdown({ text, live }: MarkdownProps) {
  const growing = useMemo(() => new GrowingMarkdown(), [])
  const blocks = useMemo(
    () => renderBlocks(live ? growing.read(text) : readMarkdown(text), live),
    [text, live],
  )
  return (
    <div class="markdown">
      {blocks.map((block, index) => {
        return block.code ? (
          <CodeBlock key={index} {...block.code} growing={live && index === blocks.length - 1} />
        ) : (
          <Html key={index} block={block} />
        )
      })}
    </div>
  )
}

const Html = memo(({ block }: { block: Extract<Block, { html: string }> }) => (
  <div class="block" dangerouslySetInnerHTML={{ __html: block.html }} />
))

interface CodeProps {
  readonly language: string
  readonly text: string
  /** Colours wait for the end of the block. */
  readonly growing?: boolean
}

export const CodeBlock = memo(({ language, text, growing = false }: CodeProps) => {
  const [html, setHtml] = useState<string>()
  const [copied, copy] = useCopied()
  useEffect(() => {
    setHtml(undefined)
    if (growing || language === '') return
    let wanted = true
    import('./highlight.js').then(({ highlight }) => wanted && setHtml(highlight(text, language)))
    return () => {
      wanted = false
    }
  }, [text, language, growing])
  const { copy: copyLabel, copied: copiedLabel } = strings.value.app
  return (
    <div class="code-block">
      <div class="code-head">
        <span>{language}</span>
        <IconButton
          icon={copied ? Check : Copy}
          size={15}
          label={copied ? copiedLabel : copyLabel}
          onClick={() => copy(text)}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre tabIndex={0}>
        {html === undefined ? <code>{text}</code> : <code dangerouslySetInnerHTML={{ __html: html }} />}
      </pre>
    </div>
  )
})
