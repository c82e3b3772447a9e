import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Item } from '../api/shares'
import { percent } from '../format'
import { ChooseFiles } from '../send/ChooseFiles'
import { scriptUrl } from '../parts/trusted'
import digestUrl from './digest.worker?worker&url'

type Result = { name: string; isSame: boolean | null }

/** Compare a file on the device with what was sent, by its SHA-256. */
export function CheckFile({ items }: { items: Item[] }) {
  const { t, i18n } = useTranslation()
  const [read, setRead] = useState<{ bytes: number; size: number } | null>(null)
  const [result, setResult] = useState<Result | null>(null)
  if (!items.some((item) => item.sha256)) return null

  function check(file: File | undefined) {
    if (!file) return
    const worker = new Worker(scriptUrl(digestUrl), { type: 'module' })
    worker.onerror = () => {
      setRead(null)
      setResult({ name: file.name, isSame: null })
    }
    setResult(null)
    setRead({ bytes: 0, size: file.size })
    worker.onmessage = ({ data }: MessageEvent<number | string | null>) => {
      if (typeof data === 'number') return setRead({ bytes: data, size: file.size })
      worker.terminate()
      setRead(null)
      setResult({ name: file.name, isSame: data === null ? null : items.some((item) => item.sha256 === data) })
    }
    worker.postMessage(file)
  }

  return (
    <>
      <ChooseFiles onFiles={([first]) => check(first?.file)} label={t('receive.check')}>
        {(open) => (
          <Button variant="default" onClick={open} disabled={read !== null}>
            {read ? t('receive.checking', { percent: percent(read.bytes, read.size, i18n.language) }) : t('receive.check')}
          </Button>
        )}
      </ChooseFiles>
      {result && (
        <p role="status" className={`notice checked${result.isSame ? '' : ' bad'}`}>
          {result.isSame === null
            ? t('sending.unreadable')
            : t(result.isSame ? 'receive.matches' : 'receive.differs', { name: result.name })}
        </p>
      )}
    </>
  )
}
