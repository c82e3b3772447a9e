import type { Token, Tokens } from 'marked'
import { Fragment, type ReactNode } from 'react'
import Code from './Code'
import './markdown.css'
import type { Node } from './parsing'

/**
 * A document in Markdown. The library only finds its parts, and the page makes elements of them: HTML in it stays text,
 * links lead to http and https alone, and pictures from elsewhere are links, so that looking at it tells nobody.
 */
export default function Markdown({ tokens }: { tokens: Token[] }) {
  return (
    <div className="markdown" dir="auto">
      {all(tokens)}
    </div>
  )
}

const all = (tokens: Token[] | undefined): ReactNode => tokens?.map((token, at) => <Fragment key={at}>{one(token)}</Fragment>)

function one(token: Token): ReactNode {
  switch (token.type) {
    case 'heading':
      return heading(token as Tokens.Heading)
    case 'paragraph':
      return <p>{all(token.tokens)}</p>
    case 'list':
      return list(token as Tokens.List)
    case 'blockquote':
      return <blockquote>{all(token.tokens)}</blockquote>
    case 'code':
      return code(token as Tokens.Code)
    case 'table':
      return table(token as Tokens.Table)
    case 'hr':
      return <hr />
    case 'br':
      return <br />
    case 'strong':
      return <strong>{all(token.tokens)}</strong>
    case 'em':
      return <em>{all(token.tokens)}</em>
    case 'del':
      return <del>{all(token.tokens)}</del>
    case 'codespan':
      return <code>{token.text}</code>
    case 'link':
      return link(token.href as string, all(token.tokens))
    case 'image':
      return link(token.href as string, (token.text as string) || (token.href as string))
    case 'space':
    case 'def':
    case 'checkbox':
      return null
    case 'text':
      return token.tokens ? all(token.tokens) : unescaped(token.text as string)
    case 'escape':
      return unescaped(token.text as string)
    default:
      // HTML, and whatever else there will be, as it was written.
      return token.raw
  }
}

// A document starts below the headings of the page.
const HEADINGS = ['h2', 'h3', 'h4', 'h5', 'h6', 'h6'] as const

function heading({ depth, tokens }: Tokens.Heading): ReactNode {
  const Level = HEADINGS[Math.min(depth, HEADINGS.length) - 1]!
  return <Level>{all(tokens)}</Level>
}

function list({ ordered, start, items }: Tokens.List): ReactNode {
  const rows = items.map(({ task, checked, tokens }, at) => (
    <li key={at}>
      {task && (checked ? '☑ ' : '☐ ')}
      {all(tokens)}
    </li>
  ))
  return ordered ? <ol start={Number(start) || 1}>{rows}</ol> : <ul>{rows}</ul>
}

function code({ text, nodes }: Tokens.Code & { nodes?: Node[] }): ReactNode {
  return nodes ? <Code nodes={nodes} /> : <pre className="source">{text}</pre>
}

function table({ header, rows }: Tokens.Table): ReactNode {
  return (
    <div className="markdownTable">
      <table>
        <thead>
          <tr>
            {header.map(({ tokens }, at) => (
              <th key={at}>{all(tokens)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map(({ tokens }, column) => (
                <td key={column}>{all(tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function link(href: string, words: ReactNode): ReactNode {
  if (!isWeb(href)) return words
  return (
    <a href={href} target="_blank" rel="noreferrer noopener nofollow">
      {words}
    </a>
  )
}

/** Whether an address, as it is written, leads to the web and not into the page itself or a program. */
export function isWeb(href: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(href).protocol)
  } catch {
    return false
  }
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity]!)
}
