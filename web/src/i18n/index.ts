import i18next from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'
import { Problem } from '../api/problem'
import { en } from './en'

export const LANGUAGES = { en: 'English', zh: '中文' } as const
export type Language = keyof typeof LANGUAGES
const KEY = 'waystation.language'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof en }
  }
}

/** The language that the reader chose, or else the first of the browser's that the page speaks. */
export function preferred(stored: string | null, languages: readonly string[]): Language {
  const wanted = [stored ?? '', ...languages].map((each) => each.slice(0, 2).toLowerCase())
  return (wanted.find((each) => each in LANGUAGES) ?? 'en') as Language
}

export async function startLanguages() {
  const language = preferred(localStorage.getItem(KEY), navigator.languages)
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: en } },
    lng: 'en',
    fallbackLng: 'en',
    // React shows every text as text.
    interpolation: { escapeValue: false },
  })
  await speak(language)
}

export async function choose(language: Language) {
  localStorage.setItem(KEY, language)
  await speak(language)
}

async function speak(language: Language) {
  if (language === 'zh' && !i18next.hasResourceBundle('zh', 'translation')) {
    i18next.addResourceBundle('zh', 'translation', (await import('./zh')).zh)
  }
  await i18next.changeLanguage(language)
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : language
  document.documentElement.dir = i18next.dir(language)
}

/** The words of a failure, for people. */
export function useExplain() {
  const { t } = useTranslation()
  return (error: unknown): string => {
    if (!(error instanceof Problem)) return t('error.other', { detail: String(error) })
    const key = `error.${error.status >= 500 && error.code !== 'storage_full' ? 'unavailable' : error.code}`
    return i18next.exists(key) ? t(key as 'error.offline') : t('error.other', { detail: error.message })
  }
}
