import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Item } from '../api/shares'
import { percent } from '../format'
import { ChooseFiles } from '../send/ChooseFiles'
import { digestOf } from '../parts/digest'

type Result = { name: string; isSame: boolean | null }

/** Compare a file on the device with what was sent, by its SHA-256. */
export function CheckFile({ items }: { items: Item[] }) {
  const { t, i18n } = useTranslation()
  const [read, setRead] = useState<{ bytes: number; size: number } | null>(null)
  const [result, setResult] = useState<Result | null>(null)
  if (!items.some((item) => item.sha256)) return null

  function check(file: File | undefined) {
    if (!file) return
    const { name, size } = file
    setResult(null)
    setRead({ bytes: 0, size })
    void digestOf(file, (bytes) => setRead({ bytes, size })).then((digest) => {
      setRead(null)
      setResult({ name, isSame: digest === null ? null : items.some((item) => item.sha256 === digest) })
    })
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
