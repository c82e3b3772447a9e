import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { request } from '../api/call'
import type { Item } from '../api/shares'
import { useExplain } from '../i18n'
import { Copy } from '../parts/Copy'

/** A text, as text. One whose readings are counted is fetched only when it is asked for. */
export function TextItem({ item, url, isCounted }: { item: Item; url: string; isCounted: boolean }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const [fetched, setFetched] = useState<string | null>(null)
  const [wrong, setWrong] = useState<string | null>(null)
  const text = item.text ?? fetched

  async function fetchText() {
    try {
      setFetched(await (await request('GET', url, { headers: { Accept: 'text/plain' } })).text())
    } catch (error) {
      setWrong(explain(error))
    }
  }

  return (
    <section className="textItem rule" aria-label={item.name}>
      {text === null ? (
        <>
          {isCounted && <p className="faint">{t('receive.counted')}</p>}
          <div className="buttons">
            <Button onClick={() => void fetchText()}>{t('receive.showText')}</Button>
          </div>
        </>
      ) : (
        <>
          <pre dir="auto">{text}</pre>
          <div className="buttons">
            <Copy text={text} variant="filled">
              {t('receive.copyText')}
            </Copy>
          </div>
        </>
      )}
      {wrong && (
        <p role="alert" className="notice bad">
          {wrong}
        </p>
      )}
    </section>
  )
}
