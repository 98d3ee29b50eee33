// Things that are copied: an id, a snippet.
import { Check, Copy as CopyIcon } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from './Button.tsx'
import styles from './Copy.module.css'
import { useEdges } from './edges.ts'
import { useUiTexts } from './texts.ts'

const SHOWN_MS = 1_500

/** Copies a text. Browsers give the clipboard to pages over HTTPS and of this machine only; elsewhere the old way is left. */
async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true)
  const area = document.createElement('textarea')
  area.value = text
  // Beside the button: a dialog keeps the focus within itself.
  ;(document.activeElement?.parentElement ?? document.body).append(area)
  area.select()
  const copied = document.execCommand('copy')
  area.remove()
  return copied
}

export function CopyButton({ text, small = true }: { text: string; small?: boolean }) {
  const t = useUiTexts()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <Button
      small={small}
      look="quiet"
      aria-label={copied ? t('copied') : t('copy')}
      icon={copied ? <Check /> : <CopyIcon />}
      onPress={() => void copy(text).then(setCopied)}
    />
  )
}

/** An id: readable, and copied whole with one press. */
export function Id({ children }: { children: string }) {
  return (
    <span className={styles.id}>
      <code className="clip" title={children}>
        {children}
      </code>
      <span className="no-print">
        <CopyButton text={children} />
      </span>
    </span>
  )
}

export function Snippet({ children, label }: { children: string; label?: string }) {
  const edges = useEdges<HTMLPreElement>()
  return (
    <figure className={styles.snippet}>
      {label && <figcaption>{label}</figcaption>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre ref={edges} tabIndex={0}>
        {children}
      </pre>
      <CopyButton text={children} />
    </figure>
  )
}
