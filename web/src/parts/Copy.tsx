import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useCopy } from './useCopy'

export function Copy({ text, children, variant = 'default' }: { text: string; children: ReactNode; variant?: 'filled' | 'default' }) {
  const { t } = useTranslation()
  const { isCopied, onCopy } = useCopy(text)
  return (
    <Button variant={variant} onClick={onCopy}>
      <span aria-live="polite">{isCopied ? `✓ ${t('sending.copied')}` : children}</span>
    </Button>
  )
}
