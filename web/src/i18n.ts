// English and German. A page brings its own words with `defineTexts`; its keys are checked by the compiler,
// German must have the same ones as English, and they travel in the page's own chunk.

import i18next from 'i18next'
import { useMemo } from 'react'
import { initReactI18next, useTranslation } from 'react-i18next'

export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]
const STORED = 'faden.language'

/** The stored choice, else the first language of the browser that we speak, else English. */
export function firstLanguage(stored: string | null, wanted: readonly string[]): Language {
  const known = (tag: string) => LANGUAGES.find((language) => tag.toLowerCase().startsWith(language))
  return (stored && known(stored)) || wanted.map(known).find(Boolean) || 'en'
}

/** Dates and numbers of English are written as in Britain. */
export const localeOf = (language: string): string => (language === 'en' ? 'en-GB' : language)

const browser = typeof window !== 'undefined'
void i18next.use(initReactI18next).init({
  lng: browser ? firstLanguage(localStorage.getItem(STORED), navigator.languages) : 'en',
  fallbackLng: 'en',
  resources: {},
  ns: [],
  interpolation: { escapeValue: false },
  react: { useSuspense: false },
})
if (browser) document.documentElement.lang = i18next.language

export function useLanguage(): [Language, (language: Language) => void] {
  const { i18n } = useTranslation()
  const choose = (language: Language) => {
    localStorage.setItem(STORED, language)
    document.documentElement.lang = language
    void i18n.changeLanguage(language)
  }
  return [i18n.language as Language, choose]
}

/** `items_one` and `items_other` are asked for as `items` with a `count`. */
type Key<Texts> = keyof Texts extends infer K ? (K extends `${infer Base}_${'one' | 'other'}` ? Base : K) : never
export type Translate<Texts> = (key: Key<Texts> & string, values?: Record<string, string | number>) => string

export function defineTexts<const English extends Record<string, string>>(
  namespace: string,
  texts: { en: English; de: { [K in keyof English]: string } },
) {
  for (const language of LANGUAGES) i18next.addResourceBundle(language, namespace, texts[language], true, true)
  // biome-ignore lint/correctness/noComponentHookFactories: called once for each namespace, when its module is loaded
  return function useTexts(): Translate<English> {
    const { t, i18n } = useTranslation(namespace)
    return useMemo(() => {
      const format = new Intl.NumberFormat(i18n.language)
      return (key, values = {}) => {
        const shown: Record<string, string | number> = { ...values }
        for (const [name, value] of Object.entries(values)) {
          if (typeof value === 'number' && name !== 'count') shown[name] = format.format(value)
        }
        // `{{count}}` chooses the plural; `{{number}}` is the same, written as people write numbers.
        if (typeof values.count === 'number') shown.number = format.format(values.count)
        return t(key, shown)
      }
    }, [t, i18n.language])
  }
}
