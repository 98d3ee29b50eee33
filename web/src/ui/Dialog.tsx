// A dialog over the page. Escape and the close button leave it; focus goes back to where it was.
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { Button } from './Button.tsx'
import { join } from './class.ts'
import styles from './Dialog.module.css'
import { useUiTexts } from './texts.ts'

interface DialogProps {
  title: string
  isOpen: boolean
  onClose: () => void
  children: ReactNode
  /** Buttons at the end, the one that goes on last. */
  footer?: ReactNode
  wide?: boolean
}

export function Dialog({ title, isOpen, onClose, children, footer, wide }: DialogProps) {
  const t = useUiTexts()
  return (
    <ModalOverlay isOpen={isOpen} onOpenChange={(open) => !open && onClose()} isDismissable className={styles.overlay}>
      <Modal className={join(styles.modal, wide && styles.wide)}>
        <AriaDialog className={styles.dialog}>
          <header className={styles.header}>
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <Button look="quiet" small icon={<X />} aria-label={t('close')} onPress={onClose} />
          </header>
          <div className={styles.body}>{children}</div>
          {footer && <footer className={styles.footer}>{footer}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
