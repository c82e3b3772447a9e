import { type ReactNode, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

/** An act that cannot be undone: the first press asks, and the second does it. */
export function Sure({ onSure, asks, children }: { onSure: () => void; asks: string; children: ReactNode }) {
  const { t } = useTranslation()
  const [isAsking, setAsking] = useState(false)
  useEffect(() => {
    if (!isAsking) return
    const timer = setTimeout(() => setAsking(false), 8000)
    return () => clearTimeout(timer)
  }, [isAsking])
  if (!isAsking) {
    return (
      <button type="button" className="link quiet small" onClick={() => setAsking(true)}>
        {children}
      </button>
    )
  }
  return (
    <span className="sure small" role="group">
      <span role="status">{asks}</span>
      <button type="button" className="link bad" autoFocus onClick={onSure}>
        {children}
      </button>
      <button type="button" className="link quiet" onClick={() => setAsking(false)}>
        {t('send.cancel')}
      </button>
    </span>
  )
}
