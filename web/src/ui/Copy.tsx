// Things that are copied: an id, a snippet.
import { Check, Copy as CopyIcon } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from './Button.tsx'
import styles from './Copy.module.css'
import { useEdges } from './edges.ts'
import { useUiTexts } from './texts.ts'

const SHOWN_MS = 1_500

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
      onPress={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}
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
