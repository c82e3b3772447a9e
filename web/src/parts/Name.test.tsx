import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it } from 'vitest'
import { startLanguages } from '../i18n'
import { Name, type Named } from './Name'

it.each<[Named, string]>([
  [{ name: 'ann', mixed_scripts: [] }, '<bdi>ann</bdi>'],
  [{ name: '<b>' }, '<bdi>&lt;b&gt;</bdi>'],
  [{ name: null }, '<span class="faint">deleted account</span>'],
])('%o', async (named, html) => {
  await startLanguages()
  expect(renderToStaticMarkup(<Name of={named} />)).toBe(html)
})

it('says by what letters a name may imitate another', async () => {
  await startLanguages()
  expect(renderToStaticMarkup(<Name of={{ name: 'аnn', mixed_scripts: ['Cyrl', 'Latn'] }} />)).toMatch(/title="[^"]*\(Cyrillic, Latin\)[^"]*">mixed letters</)
})
