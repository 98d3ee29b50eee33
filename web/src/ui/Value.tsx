// A value as somebody sent it: text, number, yes or no, or a small object.
import { useLanguage } from '../i18n.ts'
import { useUiTexts } from './texts.ts'

export function Value({ value }: { value: unknown }) {
  const [language] = useLanguage()
  const t = useUiTexts()
  if (value === null || value === undefined || value === '') return <span className="muted">–</span>
  if (typeof value === 'number') {
    return <span className="num">{new Intl.NumberFormat(language, { maximumFractionDigits: 6 }).format(value)}</span>
  }
  if (typeof value === 'boolean') return <span>{value ? t('yes') : t('no')}</span>
  if (typeof value === 'string') return <span>{value}</span>
  return <code>{JSON.stringify(value)}</code>
}

/** An object as it is, to be read and copied. */
export function Raw({ data, label }: { data: unknown; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <pre className="raw" role="region" tabIndex={0} aria-label={label}>
      {JSON.stringify(data, null, 2)}
    </pre>
  )
}
