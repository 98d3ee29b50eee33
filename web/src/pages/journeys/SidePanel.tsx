// What stands beside the canvas: a heading, a way out, content that scrolls. Escape closes it.
import { X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { Button } from '../../ui/Button.tsx'
import { isForPage } from '../../ui/keys.ts'
import styles from './journeys.module.css'
import { useJourneyTexts } from './texts.ts'

interface SidePanelProps {
  title: ReactNode
  above?: ReactNode
  onClose: () => void
  children: ReactNode
  footer?: ReactNode
}

export function SidePanel({ title, above, onClose, children, footer }: SidePanelProps) {
  const t = useJourneyTexts()
  const id = useId()
  const close = useRef(onClose)
  close.current = onClose
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && isForPage(event)) close.current()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [])
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a narrow window it lies over the page: what it is about comes to stand above it.
    const over = panel.current && getComputedStyle(panel.current).position === 'fixed'
    if (over) panel.current?.parentElement?.scrollIntoView({ block: 'start' })
  }, [])
  return (
    <aside ref={panel} className={styles.panel} aria-labelledby={id}>
      <header className={styles.panelHead}>
        <div className="grow">
          {above && <div className="second">{above}</div>}
          <h2 id={id} className="clip">
            {title}
          </h2>
        </div>
        <Button small look="quiet" icon={<X />} aria-label={t('close_panel')} onPress={onClose} />
      </header>
      <div className={styles.panelBody}>{children}</div>
      {footer && <footer className={styles.panelFoot}>{footer}</footer>}
    </aside>
  )
}
