/** Colours derived from the one accent that the administrator chose, so that every pair is readable (WCAG AA). */

export type Rgb = readonly [number, number, number]
export type Accent = { accent: string; hover: string; onAccent: string; tint: string }

const CONTRAST = 4.5
const STEPS = 40
const GROUNDS = {
  light: { card: '#ffffff', ground: '#f7f7f4', extreme: '#000000', tint: 0.1, on: '#ffffff' },
  dark: { card: '#171c1b', ground: '#0f1312', extreme: '#ffffff', tint: 0.15, on: '#06211f' },
} as const

export function accentFor(chosen: string, scheme: 'light' | 'dark'): Accent {
  const { card, ground, extreme, tint, on } = GROUNDS[scheme]
  const start = onGround(rgb(chosen) ?? rgb('#0b6e69')!, scheme)
  // Readable as text on a card, on the ground and on its own tint.
  const readable = Array.from({ length: STEPS + 1 }, (_, step) => mix(start, rgb(extreme)!, step / STEPS)).find((tried) =>
    [rgb(card)!, rgb(ground)!, mix(rgb(card)!, tried, tint)].every((below) => contrast(tried, below) >= CONTRAST),
  )
  const accent = readable ?? rgb(extreme)!
  const onAccent = [rgb(on)!, rgb('#ffffff')!, rgb('#000000')!].find((text) => contrast(text, accent) >= CONTRAST)!
  return {
    accent: hex(accent),
    hover: hex(mix(accent, rgb(extreme)!, 0.14)),
    onAccent: hex(onAccent),
    tint: hex(mix(rgb(card)!, accent, tint)),
  }
}

/** On a dark ground a colour of the same hue that shines: a dark one, mixed with white alone, would be grey. */
function onGround(colour: Rgb, scheme: 'light' | 'dark'): Rgb {
  if (scheme === 'light') return colour
  const [hue, saturation, lightness] = hsl(colour)
  return fromHsl(hue, Math.min(saturation, 0.58), Math.max(lightness, 0.59))
}

export function rgb(text: string): Rgb | null {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text)
  return found ? [parseInt(found[1]!, 16), parseInt(found[2]!, 16), parseInt(found[3]!, 16)] : null
}

export function contrast(one: Rgb, other: Rgb): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function hsl(colour: Rgb): [number, number, number] {
  const [red, green, blue] = colour.map((value) => value / 255) as [number, number, number]
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)]
  const [lightness, range] = [(most + least) / 2, most - least]
  if (range === 0) return [0, 0, lightness]
  const sector = most === red ? (green - blue) / range : most === green ? 2 + (blue - red) / range : 4 + (red - green) / range
  return [((sector + 6) % 6) * 60, range / (1 - Math.abs(2 * lightness - 1)), lightness]
}

function fromHsl(hue: number, saturation: number, lightness: number): Rgb {
  const spread = saturation * Math.min(lightness, 1 - lightness)
  const part = (from: number) => {
    const at = (from + hue / 30) % 12
    return Math.round(255 * (lightness - spread * Math.max(-1, Math.min(at - 3, 9 - at, 1))))
  }
  return [part(0), part(8), part(4)]
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  return from.map((value, at) => Math.round(value + (to[at]! - value) * share)) as unknown as Rgb
}

function hex(colour: Rgb): string {
  return `#${colour.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
