import { endingOf } from './previews'

/** Languages of programs, by the endings of files. */
const LANGUAGES: Record<string, readonly string[]> = {
  bash: ['sh', 'bash', 'zsh'],
  c: ['c', 'h'],
  cpp: ['cc', 'cpp', 'hpp'],
  csharp: ['cs'],
  css: ['css', 'scss'],
  diff: ['diff', 'patch'],
  go: ['go'],
  ini: ['ini', 'conf', 'cfg', 'toml', 'env', 'properties'],
  java: ['java'],
  javascript: ['js', 'mjs', 'jsx'],
  json: ['json'],
  kotlin: ['kt'],
  lua: ['lua'],
  perl: ['pl'],
  php: ['php'],
  python: ['py'],
  r: ['r'],
  ruby: ['rb'],
  rust: ['rs'],
  sql: ['sql'],
  swift: ['swift'],
  typescript: ['ts', 'tsx'],
  xml: ['xml'],
  yaml: ['yaml', 'yml'],
}

/** The language of a file, or of a block of Markdown that names it; null: none that is known here. */
export function languageOf(name: string): string | null {
  const ending = endingOf(name)
  return Object.keys(LANGUAGES).find((language) => language === ending || LANGUAGES[language]!.includes(ending)) ?? null
}
