import { TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'

const TYPING_MILLISECONDS = 300

/** Words that are looked for once nothing has been typed for a moment. */
export function Search({ label, value, onSearch }: { label: string; value: string; onSearch: (words: string) => void }) {
  const [typed, setTyped] = useState(value)
  useEffect(() => {
    if (typed.trim() === value) return
    const timer = setTimeout(() => onSearch(typed.trim()), TYPING_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [typed])
  useEffect(() => setTyped((before) => (before.trim() === value ? before : value)), [value])
  return <TextInput type="search" aria-label={label} placeholder={label} value={typed} maxLength={200} onChange={(event) => setTyped(event.target.value)} />
}
