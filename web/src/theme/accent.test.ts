import { describe, expect, it } from 'vitest'
import { accentFor, contrast, rgb } from './accent'

const CHOSEN = ['#0b6e69', '#ffff00', '#ffffff', '#000000', '#ff0000', '#777777', '#0000ff', '#00ff00', 'no colour']

describe.each(['light', 'dark'] as const)('the accent in the %s scheme', (scheme) => {
  it.each(CHOSEN)('stays readable if %s is chosen', (chosen) => {
    const { accent, onAccent, tint } = accentFor(chosen, scheme)
    const card = scheme === 'light' ? '#ffffff' : '#171c1b'
    for (const below of [card, tint]) expect(contrast(rgb(accent)!, rgb(below)!)).toBeGreaterThanOrEqual(4.49)
    expect(contrast(rgb(onAccent)!, rgb(accent)!)).toBeGreaterThanOrEqual(4.49)
  })
})

it('shines on a dark ground', () => {
  const [red, green] = rgb(accentFor('#0b6e69', 'dark').accent)!
  expect(green - red).toBeGreaterThan(90)
})

it('keeps a colour that is readable as it was chosen', () => expect(accentFor('#0b6e69', 'light').accent).toBe('#0b6e69'))
