// The console's pages in the order of the navigation: address, key after `g`, picture.
import {
  BookOpenCheck,
  Cable,
  type LucideIcon,
  MessageSquareText,
  Route,
  Settings,
  ShieldCheck,
  Sunrise,
  UserRound,
  UsersRound,
} from 'lucide-react'

export interface Place {
  key: 'today' | 'people' | 'journeys' | 'audiences' | 'messages' | 'policies' | 'sources' | 'explain' | 'settings'
  href: string
  /** Pressed after `g`. */
  letter: string
  icon: LucideIcon
}

export const PLACES: readonly Place[] = [
  { key: 'today', href: '/', letter: 't', icon: Sunrise },
  { key: 'people', href: '/people', letter: 'p', icon: UserRound },
  { key: 'journeys', href: '/journeys', letter: 'j', icon: Route },
  { key: 'audiences', href: '/audiences', letter: 'a', icon: UsersRound },
  { key: 'messages', href: '/messages', letter: 'm', icon: MessageSquareText },
  { key: 'policies', href: '/policies', letter: 'r', icon: ShieldCheck },
  { key: 'sources', href: '/sources', letter: 'c', icon: Cable },
  { key: 'explain', href: '/explain', letter: 'e', icon: BookOpenCheck },
  { key: 'settings', href: '/settings', letter: 's', icon: Settings },
]

/** The place that an address belongs to. */
export function placeAt(path: string): Place | undefined {
  return PLACES.find((place) =>
    place.href === '/' ? path === '/' : path === place.href || path.startsWith(`${place.href}/`),
  )
}

/** Where an id is shown: people have a page, everything else is explained. */
export function hrefOfId(id: string): string {
  return id.startsWith('prf_') ? `/people/${encodeURIComponent(id)}` : `/explain/${encodeURIComponent(id)}`
}

/** What looks like one of our ids, typed or pasted. */
export const isId = (text: string): boolean => /^(prf|dec|msg|enr)_[0-9a-z_]+$/i.test(text.trim())
