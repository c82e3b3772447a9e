export type PreviewKind = 'image' | 'video' | 'audio'

const KINDS: Record<PreviewKind, readonly string[]> = {
  image: ['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'bmp'],
  video: ['mp4', 'webm', 'mov', 'm4v', 'ogv'],
  audio: ['mp3', 'm4a', 'ogg', 'oga', 'opus', 'wav', 'flac', 'aac'],
}

/** How the page shows a file; null: not at all. SVG and HTML are programs, and never shown. */
export function previewKind(name: string): PreviewKind | null {
  const ending = name.split('.').at(-1)!.toLowerCase()
  const found = (Object.keys(KINDS) as PreviewKind[]).find((kind) => KINDS[kind].includes(ending))
  return name.includes('.') && found ? found : null
}
