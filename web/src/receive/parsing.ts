import highlight from 'highlight.js/lib/core'
import bash from 'highlight.js/lib/languages/bash'
import c from 'highlight.js/lib/languages/c'
import cpp from 'highlight.js/lib/languages/cpp'
import csharp from 'highlight.js/lib/languages/csharp'
import css from 'highlight.js/lib/languages/css'
import diff from 'highlight.js/lib/languages/diff'
import go from 'highlight.js/lib/languages/go'
import ini from 'highlight.js/lib/languages/ini'
import java from 'highlight.js/lib/languages/java'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import kotlin from 'highlight.js/lib/languages/kotlin'
import lua from 'highlight.js/lib/languages/lua'
import perl from 'highlight.js/lib/languages/perl'
import php from 'highlight.js/lib/languages/php'
import python from 'highlight.js/lib/languages/python'
import r from 'highlight.js/lib/languages/r'
import ruby from 'highlight.js/lib/languages/ruby'
import rust from 'highlight.js/lib/languages/rust'
import sql from 'highlight.js/lib/languages/sql'
import swift from 'highlight.js/lib/languages/swift'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import yaml from 'highlight.js/lib/languages/yaml'
import { lexer, type Token, type Tokens } from 'marked'
import { languageOf } from './languages'

const LANGUAGES = {
  ...{ bash, c, cpp, csharp, css, diff, go, ini, java, javascript, json, kotlin, lua, perl, php },
  ...{ python, r, ruby, rust, sql, swift, typescript, xml, yaml },
}
for (const [name, language] of Object.entries(LANGUAGES)) highlight.registerLanguage(name, language)

/** The tree behind the HTML of highlight.js, of which the page makes elements by itself: text becomes HTML nowhere. */
export type Node = string | { scope?: string; children: Node[] }

/** What a text consists of. The blocks of programs in a document have their own `nodes`. */
export type Parsed = { tokens: Token[] } | { nodes: Node[] }

/** More objects, or one in another more often, are in no text that somebody wrote, but in one that is to stop the page. */
const MOST = 60_000
const DEEPEST = 100

/** `language`: that of a program, or `markdown`. null: it is too much to be shown. */
export function parse(text: string, language: string): Parsed | null {
  const parsed = language === 'markdown' ? { tokens: document(text) } : { nodes: tree(text, language) }
  return isModest(parsed) ? parsed : null
}

function document(text: string): Token[] {
  const tokens = lexer(text, { gfm: true })
  colour(tokens)
  return tokens
}

function colour(tokens: Token[]) {
  for (const token of tokens) {
    if (token.type === 'code') {
      const { text, lang } = token as Tokens.Code
      const language = lang ? languageOf(`.${lang.split(/\s/)[0]}`) : null
      if (language) Object.assign(token, { nodes: tree(text, language) })
    }
    if ('tokens' in token && token.tokens) colour(token.tokens)
    if ('items' in token) for (const { tokens } of token.items as { tokens: Token[] }[]) colour(tokens)
  }
}

function tree(text: string, language: string): Node[] {
  const { _emitter } = highlight.highlight(text, { language, ignoreIllegals: true })
  return (_emitter as unknown as { rootNode: { children: Node[] } }).rootNode.children
}

function isModest(parsed: Parsed): boolean {
  let count = 0
  const waiting: { value: unknown; depth: number }[] = [{ value: parsed, depth: 0 }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next
    if (typeof value !== 'object' || value === null) continue
    if (++count > MOST || depth > DEEPEST) return false
    for (const inner of Object.values(value)) waiting.push({ value: inner, depth: depth + 1 })
  }
  return true
}
