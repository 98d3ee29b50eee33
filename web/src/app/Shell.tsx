// The frame: navigation, what is live, who is signed in, and the dialogs that open from everywhere.
import { useQueryClient } from '@tanstack/react-query'
import { Outlet, useRouter, useRouterState } from '@tanstack/react-router'
import { Menu as MenuIcon, Search, X } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { I18nProvider, RouterProvider } from 'react-aria-components'
import { Problem } from '../api/client.ts'
import { useGet } from '../api/hooks.ts'
import { startStream, useLive } from '../api/stream.ts'
import type { Me } from '../api/types.ts'
import { useLanguage } from '../i18n.ts'
import { Button } from '../ui/Button.tsx'
import { join } from '../ui/class.ts'
import { Link, Navigation } from '../ui/Link.tsx'
import { Mark } from '../ui/Mark.tsx'
import { Notices } from '../ui/Notices.tsx'
import { Skeleton } from '../ui/Skeleton.tsx'
import { State } from '../ui/State.tsx'
import { setServerClock } from '../ui/time.ts'
import { Choices } from './Choices.tsx'
import { useKeyboard } from './keyboard.ts'
import { Failure } from './Loaded.tsx'
import { PLACES, placeAt } from './places.ts'
import styles from './Shell.module.css'
import { SignIn } from './SignIn.tsx'
import { useAppTexts } from './texts.ts'

const Palette = lazy(() => import('./Palette.tsx'))
const Help = lazy(() => import('./Help.tsx'))

export function Shell() {
  const router = useRouter()
  const [language] = useLanguage()
  const go = (href: string) => router.history.push(href)
  return (
    <I18nProvider locale={language === 'de' ? 'de-DE' : 'en-GB'}>
      <RouterProvider navigate={go}>
        <Navigation value={go}>
          <Gate />
          <Notices />
        </Navigation>
      </RouterProvider>
    </I18nProvider>
  )
}

/** Nobody sees a page before the server knows who he is. */
function Gate() {
  const me = useGet<Me>('/me')
  if (me.data) return <Frame me={me.data} />
  if (me.error instanceof Problem && me.error.status === 401) return <SignIn />
  return (
    <main className={styles.alone}>
      {me.error ? <Failure error={me.error} onRetry={() => void me.refetch()} /> : <Skeleton />}
    </main>
  )
}

/** The engine's clock follows its records, which may be ahead of the machine's. */
const later = (one: string, other: string) => (Date.parse(one) > Date.parse(other) ? one : other)

function Frame({ me }: { me: Me }) {
  const t = useAppTexts()
  const router = useRouter()
  const cache = useQueryClient()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [over, setOver] = useState<'find' | 'help' | 'menu' | null>(null)
  const here = placeAt(path)
  useKeyboard({ go: (href) => router.history.push(href), find: () => setOver('find'), help: () => setOver('help') })
  useEffect(() => startStream(() => void cache.invalidateQueries()), [cache])
  const now = useLive((live) => live.overview && later(live.overview.now, live.overview.clock))
  useEffect(() => {
    if (now) setServerClock(now)
  }, [now])
  // biome-ignore lint/correctness/useExhaustiveDependencies: arriving somewhere closes the menu
  useEffect(() => setOver((open) => (open === 'menu' ? null : open)), [path])
  const lost = useLive((live) => live.connection === 'waiting')
  const close = () => setOver(null)
  return (
    <div className={styles.frame}>
      <a href="#content" className={styles.skip}>
        {t('skip')}
      </a>
      <header className={join(styles.bar, 'no-print')}>
        <Button
          look="quiet"
          icon={over === 'menu' ? <X /> : <MenuIcon />}
          aria-label={t('menu')}
          aria-expanded={over === 'menu'}
          onPress={() => setOver(over === 'menu' ? null : 'menu')}
        />
        <span className={styles.barTitle}>
          <Mark className={styles.mark} />
          Faden
        </span>
        <Button look="quiet" icon={<Search />} aria-label={t('find')} onPress={() => setOver('find')} />
      </header>
      <div className={join(styles.side, over === 'menu' && styles.sideOpen, 'no-print')}>
        <div className={styles.brand}>
          <Mark className={styles.mark} />
          <span className="stack">
            <b>Faden</b>
            <span className={join('clip', styles.workspace)}>{me.workspace}</span>
          </span>
        </div>
        <button type="button" className={styles.find} onClick={() => setOver('find')}>
          <Search aria-hidden />
          <span className="clip">{t('find')}</span>
          <kbd>Ctrl K</kbd>
        </button>
        <nav aria-label={t('navigation')} className={styles.nav}>
          {PLACES.map((place) => (
            <NavLink key={place.key} href={place.href} current={here?.key === place.key}>
              <place.icon aria-hidden />
              <span className="clip">{t(place.key)}</span>
            </NavLink>
          ))}
        </nav>
        <footer className={styles.foot}>
          <Connection />
          <Choices />
          <div className={join('row', styles.who)}>
            <span className="clip" title={`${me.name} · ${me.role ?? ''} · ${t('version', { version: me.version })}`}>
              {me.name}
            </span>
            <Button look="quiet" small aria-label={t('help')} onPress={() => setOver('help')}>
              ?
            </Button>
          </div>
        </footer>
      </div>
      {over === 'menu' && <div className={styles.shade} onClick={close} aria-hidden />}
      <main id="content" className={styles.main} tabIndex={-1}>
        {lost && <p className={join(styles.lost, 'no-print')}>{t('lost')}</p>}
        <Suspense fallback={<Skeleton lines={5} />}>
          <Outlet />
        </Suspense>
      </main>
      <Suspense fallback={null}>
        {over === 'find' && <Palette onClose={close} />}
        {over === 'help' && <Help onClose={close} />}
      </Suspense>
    </div>
  )
}

function NavLink({ href, current, children }: { href: string; current: boolean; children: ReactNode }) {
  return (
    <Link
      href={href}
      className={join(styles.place, current && styles.here)}
      aria-current={current ? 'page' : undefined}
    >
      {children}
    </Link>
  )
}

function Connection() {
  const t = useAppTexts()
  const connection = useLive((live) => live.connection)
  const tone = connection === 'live' ? 'good' : connection === 'waiting' ? 'warn' : 'idle'
  return (
    <div role="status" className={styles.connection}>
      <State tone={tone} pulse={connection !== 'live'}>
        {t(connection)}
      </State>
    </div>
  )
}
