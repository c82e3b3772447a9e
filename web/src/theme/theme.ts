import { Button, createTheme, Input, NativeSelect, PasswordInput, Textarea, TextInput } from '@mantine/core'

import { variants } from './variants'

const field = { size: 'md', radius: 16 } as const

/** Mantine's part of the look. The colours are in styles.css, because the page may not add style rules of its own. */
export const theme = createTheme({
  variantColorResolver: variants,
  fontFamily: 'var(--sans)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 'md',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { radius: 12, size: 'md' } }),
    Input: Input.extend({ defaultProps: field }),
    TextInput: TextInput.extend({ defaultProps: field }),
    PasswordInput: PasswordInput.extend({ defaultProps: field }),
    NativeSelect: NativeSelect.extend({ defaultProps: field }),
    Textarea: Textarea.extend({ defaultProps: field }),
  },
})
