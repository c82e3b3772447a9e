import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import Code from './Code'
import { languageOf } from './languages'
import Markdown from './Markdown'
import { parse, type Parsed } from './parsing'

const html = (parsed: Parsed | null) =>
  renderToStaticMarkup(parsed === null ? null : 'tokens' in parsed ? <Markdown tokens={parsed.tokens} /> : <Code nodes={parsed.nodes} />)
const shown = (text: string) => html(parse(text, 'markdown'))

describe('Markdown', () => {
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'in a line <b onclick=alert(1)>x</b>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](/mine)',
    '![x](javascript:alert(1))',
    '[x]: javascript:alert(1)\n\n[x]',
    '<javascript:alert(1)>',
    '```js" onload="alert(1)\n<script>\n```',
  ])('makes no program of %s', (text) => {
    const html = shown(text)
    expect(html).not.toMatch(/<(script|img|b|iframe)\b/)
    expect(html).not.toMatch(/<[^>]*\s(on\w+|src)=/)
    expect(html.match(/href="[^"]*"/g) ?? []).toEqual([])
  })

  it('shows documents', () => {
    const html = shown('# Title\n\nA *word* & [a link](https://example.org/?a=1&b=2), ![pic](http://example.org/p.png)\n\n- [x] done\n- `<b>`\n\n| a | b |\n|---|---|\n| 1 | 2 |')
    expect(html).toContain('<h2>Title</h2>')
    expect(html).toContain('<em>word</em> &amp; <a href="https://example.org/?a=1&amp;b=2" target="_blank" rel="noreferrer noopener nofollow">')
    expect(html).toContain('<a href="http://example.org/p.png" target="_blank" rel="noreferrer noopener nofollow">pic</a>')
    expect(html).toContain('☑ done')
    expect(html).toContain('<code>&lt;b&gt;</code>')
    expect(html).toContain('<td>2</td>')
  })

  it('colours blocks of programs', () => expect(shown('- a\n\n  ```js\n  const a = 1\n  ```')).toContain('<span class="hl-keyword">const</span>'))

  it.each(['> '.repeat(60), '1. '.repeat(60), '*a* '.repeat(20_000)])('is not shown if it is more than a document is', (text) => {
    expect(parse(text, 'markdown')).toBeNull()
  })
})

it('colours programs, whose text stays what it was', () => {
  const coloured = html(parse('const a = "<b>" // &amp;', 'javascript'))
  expect(coloured).toContain('<span class="hl-keyword">const</span>')
  expect(coloured.replace(/<[^>]*>/g, '')).toBe('const a = &quot;&lt;b&gt;&quot; // &amp;amp;')
})

it.each([
  ['a.py', 'python'],
  ['.rust', 'rust'],
  ['a.txt', null],
])('%s is %s', (name, language) => expect(languageOf(name)).toBe(language))
