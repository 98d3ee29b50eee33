// A unified diff, line by line.

import styles from './Code.module.css'
import { join } from './class.ts'
import { useUiTexts } from './texts.ts'

export type DiffLine = { kind: 'added' | 'removed' | 'same' | 'place'; text: string }

/** The lines that people read; the two lines that name the files are left out. */
export function diffLines(unified: string): DiffLine[] {
  return unified
    .replace(/\n$/, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('--- ') && !line.startsWith('+++ '))
    .map((text) => {
      if (text.startsWith('+')) return { kind: 'added', text }
      if (text.startsWith('-')) return { kind: 'removed', text }
      if (text.startsWith('@@')) return { kind: 'place', text }
      return { kind: 'same', text }
    })
}

export function Diff({ title, unified }: { title?: string; unified: string }) {
  const t = useUiTexts()
  const lines = diffLines(unified)
  return (
    <figure className={styles.diff}>
      {title && <figcaption className={join('mono', styles.diffTitle)}>{title}</figcaption>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        {lines.length === 0 && <span className={join(styles.diffLine, styles.place)}>{t('no_changes')}</span>}
        {lines.map((line, index) => (
          <span key={index} className={join(styles.diffLine, line.kind !== 'same' && styles[line.kind])}>
            {line.text}
          </span>
        ))}
      </pre>
    </figure>
  )
}
