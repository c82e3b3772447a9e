import { Button } from '@mantine/core'
import { useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../api/clock'
import { type Item, itemUrl, type OpenedShare, zipUrl } from '../api/shares'
import { usualTitle } from '../api/titles'
import { ago, duration, percent, size } from '../format'
import { useNow } from '../parts/useNow'
import { CheckFile } from './CheckFile'
import { ItemRow } from './ItemRow'
import { Preview } from './Preview'
import { previewKind } from './previews'
import { TextItem } from './TextItem'

type Props = { share: OpenedShare; ticket: string; isLost: boolean }

/** The content of a code. */
export function OpenedCard({ share, ticket, isLost }: Props) {
  const { t } = useTranslation()
  const { items, code } = share
  const texts = items.filter((item) => item.text !== null || isText(item))
  const files = items.filter((item) => !texts.includes(item))
  const card = useRef<HTMLElement>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  // Where downloads are counted, looking would be one.
  const showable = files.filter((item) => item.state === 'ready' && previewKind(item.name) !== null && share.downloads_left === null)
  const shown = showable.find((item) => item.id === chosen) ?? showable[0]
  // A new ticket must not begin a film again that is being watched.
  const preview = useMemo(() => shown && itemUrl(code, shown.id, ticket, true), [code, shown?.id])
  function look(id: string) {
    setChosen(id)
    card.current?.scrollIntoView({ block: 'start' })
  }
  return (
    <article className="card" ref={card}>
      {shown && preview && <Preview key={shown.id} item={shown} url={preview} />}
      <Head share={share} ticket={ticket} files={files} texts={texts} />
      {isLost && (
        <p role="status" className="notice sendingNotice">
          {t('receive.lost')}
        </p>
      )}
      {share.message && <p className="message rule">{share.message}</p>}
      {texts.map((item) => (
        <TextItem key={item.id} item={item} url={itemUrl(code, item.id, ticket)} isCounted={share.downloads_left !== null} />
      ))}
      {files.length > 0 && (
        <ul className="list rule">
          {files.map((item) => (
            <ItemRow
              key={item.id}
              item={item}
              url={itemUrl(code, item.id, ticket)}
              onLook={item !== shown && showable.includes(item) ? () => look(item.id) : null}
            />
          ))}
        </ul>
      )}
      {files.some((item) => item.sha256) && <Verified items={files} />}
    </article>
  )
}

type HeadProps = { share: OpenedShare; ticket: string; files: Item[]; texts: Item[] }

function Head({ share, ticket, files, texts }: HeadProps) {
  const { t, i18n } = useTranslation()
  const language = i18n.language
  const [first] = share.items
  const isUsual = share.title === null || share.title === usualTitle(share.items.map(({ name }) => name))
  const title =
    (isUsual ? null : share.title) ?? (share.items.length > 1 && first ? t('receive.andMore', { name: first.name, count: share.items.length - 1 }) : (first?.name ?? share.code))
  const ready = share.items.filter((item) => item.state === 'ready')
  return (
    <header className="opened">
      <h1>{title}</h1>
      <p className="faint">
        <Facts share={share} files={files.length} texts={texts.length} />
      </p>
      {!share.complete && <Arriving share={share} />}
      <div className="buttons">
        {share.items.length > 1 && share.complete && (
          <Button component="a" href={zipUrl(share.code, ticket)} download>
            {t('receive.all', { size: size(share.size, language) })}
          </Button>
        )}
        {share.items.length === 1 && files[0] && ready.length === 1 && (
          <Button component="a" href={itemUrl(share.code, files[0].id, ticket)} download>
            {t('receive.download')} · {size(files[0].size, language)}
          </Button>
        )}
        <CheckFile items={files} />
      </div>
    </header>
  )
}

function Facts({ share, files, texts }: { share: OpenedShare; files: number; texts: number }) {
  const { t, i18n } = useTranslation()
  const language = i18n.language
  const now = serverNow(useNow())
  const facts = [
    files > 0 && t('receive.files', { count: files }),
    texts > 0 && t('receive.texts', { count: texts }),
    size(share.size, language),
    t('receive.sent', { ago: ago(now - Date.parse(share.created_at), language) }),
    share.expires_at && t('receive.expires', { time: duration(Date.parse(share.expires_at) - now, language) }),
    share.downloads_left !== null && t('expiry.downloadsLeft', { count: share.downloads_left }),
  ]
  return facts.filter(Boolean).join(' · ')
}

function Arriving({ share }: { share: OpenedShare }) {
  const { t, i18n } = useTranslation()
  const whole = share.items.reduce((sum, item) => sum + item.size, 0)
  const received = share.items.reduce((sum, item) => sum + (item.state === 'ready' ? item.size : item.received), 0)
  if (received === 0) return <p className="notice">{t('receive.waiting')}</p>
  return <p className="notice">{t('receive.arriving', { percent: percent(received, whole, i18n.language) })}</p>
}

function Verified({ items }: { items: Item[] }) {
  const { t } = useTranslation()
  const [only] = items
  return (
    <footer className="cardFoot line small faint">
      <span>✓ {t('receive.verified')}</span>
      {items.length === 1 && only?.sha256 && (
        <code className="digest" title={only.sha256} dir="ltr">
          SHA-256 {only.sha256.slice(0, 8)}…{only.sha256.slice(-6)}
        </code>
      )}
    </footer>
  )
}

/** If downloads are counted, a text comes without its content, and only its type and name tell it from a file. */
function isText(item: Item): boolean {
  return item.type === 'text/plain; charset=utf-8' && !item.name.toLowerCase().endsWith('.txt')
}
