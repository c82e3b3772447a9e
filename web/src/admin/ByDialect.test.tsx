import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it } from 'vitest'
import { choose, startLanguages, withWords } from '../i18n'
import { ByDialect } from './ByDialect'

it('names its columns as other tables do, and protocols as people know them', async () => {
  await startLanguages()
  await withWords('admin', Promise.resolve())
  await choose('en')
  const one = { total: [1], by_dialect: { uploads: [1], newer: [1] } }
  const series = { bytes_in: one, bytes_out: one, uploads: one, downloads: one } as unknown as Parameters<typeof ByDialect>[0]['series']
  const html = renderToStaticMarkup(<ByDialect series={series} />)
  expect([...html.matchAll(/class="name">([^<]+)/g)].map(([, name]) => name)).toEqual(['tus and this page', 'newer'])
  const heads = [...html.matchAll(/<th[^>]*>([^<]+)/g)].map(([, name]) => name!)
  expect(heads).toHaveLength(5)
  for (const name of heads) expect(name).toMatch(/^[A-Z]/)
})
