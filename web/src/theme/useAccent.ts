import { useComputedColorScheme } from '@mantine/core'
import { useLayoutEffect } from 'react'
import { accentFor } from './accent'

/** Apply the accent to the whole page. Style rules may not be added, but single properties may be set. */
export function useAccent(chosen: string) {
  const scheme = useComputedColorScheme('light')
  useLayoutEffect(() => {
    const { accent, hover, onAccent, tint } = accentFor(chosen, scheme)
    const { style } = document.documentElement
    style.setProperty('--accent', accent)
    style.setProperty('--accent-hover', hover)
    style.setProperty('--on-accent', onAccent)
    style.setProperty('--tint', tint)
  }, [chosen, scheme])
}
