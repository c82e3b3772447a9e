import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { request } from '../api/call'
import type { Item } from '../api/shares'
import { size } from '../format'
import { languageOf } from './languages'
import { previewKind } from './previews'
import { useParsed } from './useParsed'

const Code = lazy(() => import('./Code'))
const Markdown = lazy(() => import('./Markdown'))

/** Of a longer text, only so much is fetched and shown. */
const BYTES = 128 * 1024

type Props = { item: Item; url: string; label: string; onError: () => void }

/** The beginning of a text: Markdown as a document, programs in colours, everything else as it is. */
export default function TextPreview({ item, url, label, onError }: Props) {
  const { t, i18n } = useTranslation()
  const { data: text, error } = useQuery({ queryKey: ['excerpt', item.id], queryFn: () => excerpt(url, item.size), staleTime: Infinity, retry: 1 })
  const parsed = useParsed(text ?? null, previewKind(item.name) === 'markdown' ? 'markdown' : languageOf(item.name))
  const isUnfit = error !== null || text === null
  useEffect(() => {
    if (isUnfit) onError()
  }, [isUnfit, onError])
  if (typeof text !== 'string') return <p className="faint small previewWait">{t('receive.opening')}</p>
  const plain = <pre dir="auto">{text}</pre>
  return (
    <figure className="excerpt" aria-label={label}>
      <div className="excerptText" tabIndex={0}>
        <Suspense fallback={plain}>
          {parsed === null ? plain : 'tokens' in parsed ? <Markdown tokens={parsed.tokens} /> : <Code nodes={parsed.nodes} />}
        </Suspense>
      </div>
      {item.size > BYTES && <figcaption className="small faint">{t('receive.excerpt', { size: size(BYTES, i18n.language) })}</figcaption>}
    </figure>
  )
}

/** The first bytes as a text; null: they are none. */
async function excerpt(url: string, whole: number): Promise<string | null> {
  const headers = { Accept: '*/*', ...(whole > BYTES && { Range: `bytes=0-${BYTES - 1}` }) }
  const text = new TextDecoder().decode(await (await request('GET', url, { headers })).arrayBuffer())
  if (text.includes('\0')) return null
  // What is cut may end in the middle of a letter, and should end with a line.
  return whole > BYTES ? text.slice(0, Math.max(text.lastIndexOf('\n'), BYTES / 4)) : text
}
