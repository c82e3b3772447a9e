import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import Code from './Code'
import { languageOf } from './languages'
import Markdown from './Markdown'

const shown = (text: string) => renderToStaticMarkup(<Markdown text={text} />)

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
})

it('colours programs, whose text stays what it was', () => {
  const html = renderToStaticMarkup(<Code text={'const a = "<b>" // &amp;'} language="javascript" />)
  expect(html).toContain('<span class="hl-keyword">const</span>')
  expect(html.replace(/<[^>]*>/g, '')).toBe('const a = &quot;&lt;b&gt;&quot; // &amp;amp;')
})

it.each([
  ['a.py', 'python'],
  ['.rust', 'rust'],
  ['a.txt', null],
])('%s is %s', (name, language) => expect(languageOf(name)).toBe(language))
