import type { VariantColorsResolver } from '@mantine/core'

/** The colours of buttons, from the tokens in styles.css. */
export const variants: VariantColorsResolver = ({ variant }) => {
  if (variant === 'filled') {
    return { background: 'var(--accent)', hover: 'var(--accent-hover)', color: 'var(--on-accent)', border: '1px solid transparent' }
  }
  if (variant === 'light') {
    return { background: 'var(--tint)', hover: 'var(--tint)', color: 'var(--accent)', border: '1px solid transparent' }
  }
  if (variant === 'subtle' || variant === 'transparent') {
    return { background: 'transparent', hover: 'var(--hover)', color: 'var(--faint)', border: '0' }
  }
  return { background: 'var(--card)', hover: 'var(--hover)', color: 'var(--accent)', border: '1px solid var(--line)' }
}
