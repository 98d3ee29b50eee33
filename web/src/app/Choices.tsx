// Language and appearance.
import { Languages, Monitor, Moon, Sun } from 'lucide-react'
import type { ReactNode } from 'react'
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import { type Language, useLanguage } from '../i18n.ts'
import styles from './Shell.module.css'
import { useAppTexts } from './texts.ts'
import { type Theme, useTheme } from './theme.ts'

export function Choices() {
  const t = useAppTexts()
  const [language, setLanguage] = useLanguage()
  const [theme, setTheme] = useTheme()
  return (
    <div className={styles.choices}>
      <Group label={t('theme')} value={theme} onChange={(key) => setTheme(key as Theme)}>
        <Choice id="system" label={t('theme_system')}>
          <Monitor aria-hidden />
        </Choice>
        <Choice id="light" label={t('theme_light')}>
          <Sun aria-hidden />
        </Choice>
        <Choice id="dark" label={t('theme_dark')}>
          <Moon aria-hidden />
        </Choice>
      </Group>
      <Languages className={styles.choicesIcon} aria-hidden />
      <Group label={t('language')} value={language} onChange={(key) => setLanguage(key as Language)}>
        <Choice id="en" label={t('english')}>
          EN
        </Choice>
        <Choice id="de" label={t('german')}>
          DE
        </Choice>
      </Group>
    </div>
  )
}

interface GroupProps {
  label: string
  value: string
  onChange: (key: string) => void
  children: ReactNode
}

function Group({ label, value, onChange, children }: GroupProps) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const [key] = keys
        if (key !== undefined) onChange(String(key))
      }}
      className={styles.group}
    >
      {children}
    </ToggleButtonGroup>
  )
}

function Choice({ id, label, children }: { id: string; label: string; children: ReactNode }) {
  return (
    <ToggleButton id={id} aria-label={label} className={styles.choice}>
      {children}
    </ToggleButton>
  )
}
