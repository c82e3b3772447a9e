import { useEffect, useState } from 'react'

const MILLISECONDS = 2000

/** Copies a text, and tells for a moment that it did. */
export function useCopy(text: string): { isCopied: boolean; onCopy: () => void } {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), MILLISECONDS)
    return () => clearTimeout(timer)
  }, [isCopied])
  return { isCopied, onCopy: () => void copy(text).then(() => setCopied(true), () => undefined) }
}

async function copy(text: string): Promise<void> {
  // The clipboard interface is there with https only.
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'hidden'
  // Behind an open dialog nothing can be selected.
  const place = document.querySelector('dialog[open]') ?? document.body
  place.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
