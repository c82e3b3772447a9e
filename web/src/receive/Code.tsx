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
import { Fragment, type ReactNode, useMemo } from 'react'
import './code.css'

const LANGUAGES = {
  ...{ bash, c, cpp, csharp, css, diff, go, ini, java, javascript, json, kotlin, lua, perl, php },
  ...{ python, r, ruby, rust, sql, swift, typescript, xml, yaml },
}
for (const [name, language] of Object.entries(LANGUAGES)) highlight.registerLanguage(name, language)

/** The tree behind the HTML of highlight.js, of which the page makes elements by itself: text becomes HTML nowhere. */
export type Node = string | { scope?: string; children: Node[] }

export function tree(text: string, language: string): Node[] {
  const { _emitter } = highlight.highlight(text, { language, ignoreIllegals: true })
  return (_emitter as unknown as { rootNode: { children: Node[] } }).rootNode.children
}

export default function Code({ text, language }: { text: string; language: string }) {
  const nodes = useMemo(() => tree(text, language), [text, language])
  return (
    <pre className="source" dir="ltr">
      {nodes.map(rendered)}
    </pre>
  )
}

function rendered(node: Node, key: number): ReactNode {
  if (typeof node === 'string') return <Fragment key={key}>{node}</Fragment>
  const inner = node.children.map(rendered)
  const scope = node.scope?.split('.')[0]
  return scope ? (
    <span key={key} className={`hl-${scope}`}>
      {inner}
    </span>
  ) : (
    <Fragment key={key}>{inner}</Fragment>
  )
}
