// A button. Not allowed is shown, disabled, with the reason as its description.
import { LoaderCircle } from 'lucide-react'
import { type ReactNode, useId } from 'react'
import { Button as AriaButton, type ButtonProps as AriaProps } from 'react-aria-components'
import styles from './Button.module.css'
import { join } from './class.ts'

export interface ButtonProps extends Omit<AriaProps, 'children' | 'className' | 'style'> {
  children?: ReactNode
  icon?: ReactNode
  look?: 'plain' | 'primary' | 'quiet' | 'danger'
  small?: boolean
  /** What it began is under way: it turns, and cannot be pressed again. */
  busy?: boolean
  /** Why it cannot be pressed. */
  refused?: string | null
}

export function Button({ children, icon, look = 'plain', small, busy, refused, isDisabled, ...rest }: ButtonProps) {
  const id = useId()
  const iconOnly = children === undefined
  const button = (
    <AriaButton
      {...rest}
      isDisabled={isDisabled || !!refused}
      isPending={busy}
      aria-describedby={refused ? id : undefined}
      className={join(styles.button, styles[look], small && styles.small, iconOnly && styles.iconOnly)}
    >
      {busy ? <LoaderCircle className={styles.turning} aria-hidden /> : icon}
      {children}
    </AriaButton>
  )
  if (!refused) return button
  return (
    <span title={refused} className={styles.refused}>
      {button}
      <span id={id} className="visually-hidden">
        {refused}
      </span>
    </span>
  )
}
