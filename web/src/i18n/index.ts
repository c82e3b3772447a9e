import i18next from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'
import { Problem } from '../api/problem'
import type { admin } from '../admin/words/en'
import type { own } from '../mine/words/en'
import { en } from './en'

export const LANGUAGES = { en: 'English', zh: '中文' } as const
export type Language = keyof typeof LANGUAGES
const KEY = 'waystation.language'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof en; own: typeof own; admin: typeof admin }
  }
}

/** Words that only some places need come with the program of these. */
const PARTS = {
  own: {
    en: async () => (await import('../mine/words/en')).own,
    zh: async () => (await import('../mine/words/zh')).own,
  },
  admin: {
    en: async () => (await import('../admin/words/en')).admin,
    zh: async () => (await import('../admin/words/zh')).admin,
  },
} as const
type Part = keyof typeof PARTS
const wanted = new Set<Part>()

/** The language that the reader chose, or else the first of the browser's that the page speaks. */
export function preferred(stored: string | null, languages: readonly string[]): Language {
  const wanted = [stored ?? '', ...languages].map((each) => each.slice(0, 2).toLowerCase())
  return (wanted.find((each) => each in LANGUAGES) ?? 'en') as Language
}

export async function startLanguages() {
  const language = preferred(stored(), navigator.languages)
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: en } },
    lng: 'en',
    fallbackLng: 'en',
    // React shows every text as text.
    interpolation: { escapeValue: false },
  })
  // Words that cannot be loaded must not keep the page from opening.
  await speak(language).catch(() => undefined)
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

export async function choose(language: Language) {
  localStorage.setItem(KEY, language)
  await speak(language)
}

/** The program of a place, with its words. */
export async function withWords<Program>(part: Part, program: Promise<Program>): Promise<Program> {
  wanted.add(part)
  const [loaded] = await Promise.all([program, addWords(part, i18next.language as Language)])
  return loaded
}

async function addWords(part: Part, language: Language) {
  if (!i18next.hasResourceBundle(language, part)) i18next.addResourceBundle(language, part, await PARTS[part][language]())
}

async function speak(language: Language) {
  await Promise.all([...wanted].map((part) => addWords(part, language)))
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
