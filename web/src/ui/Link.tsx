// A link within the console or out of it; the application's router takes those within.
import { createContext, type MouseEvent, type ReactNode, useContext } from 'react'
import { Link as AriaLink } from 'react-aria-components'

/** How the application goes to an address without loading the page anew. */
export const Navigation = createContext<(href: string) => void>((href) => window.location.assign(href))

interface LinkProps {
  href: string
  children: ReactNode
  className?: string
  'aria-current'?: 'page'
  'aria-label'?: string
}

export function Link({ className = '', ...rest }: LinkProps) {
  return <AriaLink {...rest} className={className} />
}

/** Follows an address from something that is not a link itself; in a new tab when the keys say so. */
export function useFollow() {
  const navigate = useContext(Navigation)
  return (href: string, event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey) window.open(href, '_blank', 'noopener')
    else navigate(href)
  }
}
