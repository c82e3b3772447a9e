import { Button } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

export function Copy({ text, children, variant = 'default' }: { text: string; children: ReactNode; variant?: 'filled' | 'default' }) {
  const { t } = useTranslation()
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [isCopied])
  return (
    <Button variant={variant} onClick={() => void copy(text).then(() => setCopied(true))}>
      <span aria-live="polite">{isCopied ? `✓ ${t('sending.copied')}` : children}</span>
    </Button>
  )
}

export async function copy(text: string): Promise<void> {
  // The clipboard interface is there with https only.
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'hidden'
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
