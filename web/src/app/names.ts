// What people call the things that the API names by a code: channels, identifiers, countries, languages, spans of time.
import i18next from 'i18next'
import { useMemo } from 'react'
import { defineTexts, localeOf, useLanguage } from '../i18n.ts'

const texts = {
  en: {
    channel_email: 'e-mail',
    channel_sms: 'SMS',
    channel_rcs: 'RCS',
    channel_whatsapp: 'WhatsApp',
    channel_push: 'app push',
    channel_web_push: 'web push',
    channel_web_chat: 'web chat',
    channel_in_app: 'in-app',
    channel_voice: 'phone call',
    channel_letter: 'letter',
    channel_webhook: 'webhook',
    kind_user_id: 'User id',
    kind_anonymous_id: 'Anonymous id',
    kind_email: 'E-mail',
    kind_phone: 'Phone',
    kind_device_id: 'Device',
    kind_whatsapp_id: 'WhatsApp',
    kind_crm_id: 'CRM id',
    browser: 'Browser at {{host}}',
    customer_pages: 'Preference page',
  },
  de: {
    channel_email: 'E-Mail',
    channel_sms: 'SMS',
    channel_rcs: 'RCS',
    channel_whatsapp: 'WhatsApp',
    channel_push: 'App-Push',
    channel_web_push: 'Web-Push',
    channel_web_chat: 'Web-Chat',
    channel_in_app: 'In-App',
    channel_voice: 'Anruf',
    channel_letter: 'Brief',
    channel_webhook: 'Webhook',
    kind_user_id: 'Benutzerkennung',
    kind_anonymous_id: 'Anonyme Kennung',
    kind_email: 'E-Mail',
    kind_phone: 'Telefon',
    kind_device_id: 'Gerät',
    kind_whatsapp_id: 'WhatsApp',
    kind_crm_id: 'CRM-Kennung',
    browser: 'Browser bei {{host}}',
    customer_pages: 'Einstellungsseite',
  },
} as const
const useTexts = defineTexts('names', texts)
type Key = keyof typeof texts.en
const isKey = (key: string): key is Key => key in texts.en

const titled = (name: string): string => name.charAt(0).toLocaleUpperCase() + name.slice(1)
/** `a_second_time` in words: "a second time". */
export const worded = (name: string): string => name.replaceAll('_', ' ')

const UNITS: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' }

/** `1d12h` as "1 day 12 hours"; what is not a span is left as it is. */
export function span(written: string, language: string = i18next.language): string {
  if (!/^(\d+[smhdw])+$/.test(written)) return written
  return [...written.matchAll(/(\d+)([smhdw])/g)]
    .map(([, number, unit = '']) =>
      Number(number).toLocaleString(localeOf(language), { style: 'unit', unit: UNITS[unit], unitDisplay: 'long' }),
    )
    .join(' ')
}

/** The same after a preposition, which German inflects: "nach 7 Tagen". */
export const spanAfter = (written: string, language: string = i18next.language): string =>
  span(written, language).replace(/Tage\b/, 'Tagen')

/** A channel within a sentence, in the language that is spoken now. */
export const spoken = (kind: string): string =>
  isKey(`channel_${kind}`) ? i18next.t(`channel_${kind}`, { ns: 'names' }) : worded(kind)

/** What the browser calls a country or a language; its code where that is none. */
function called(type: 'region' | 'language', code: string, language: string): string {
  try {
    return new Intl.DisplayNames([localeOf(language)], { type }).of(code) ?? code
  } catch {
    return code
  }
}

export interface Names {
  /** "E-mail", where it stands alone. */
  channel: (kind: string) => string
  /** "e-mail", within a sentence. */
  spoken: (kind: string) => string
  identifier: (kind: string) => string
  /** An address as it is; a browser's, which is a document, by where it is reached. */
  address: (address: string) => string
  country: (code: string) => string
  language: (code: string) => string
  /** A source as its key is named; Faden's own pages in words. */
  source: (name: string) => string
}

export function useNames(): Names {
  const t = useTexts()
  const [language] = useLanguage()
  return useMemo(() => {
    return {
      spoken,
      channel: (kind) => titled(spoken(kind)),
      identifier: (kind) => (isKey(`kind_${kind}`) ? t(`kind_${kind}` as Key) : titled(worded(kind))),
      address: (address) => {
        const host = /"endpoint":"https?:\/\/([^/:"]+)/.exec(address)?.[1]
        return host ? t('browser', { host }) : address
      },
      country: (code) => called('region', code, language),
      language: (code) => called('language', code, language),
      source: (name) => (name === 'customer-pages' ? t('customer_pages') : name),
    }
  }, [t, language])
}
