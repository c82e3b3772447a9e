export type PreviewKind = 'image' | 'video' | 'audio' | 'pdf' | 'markdown' | 'text'

const KINDS: Record<PreviewKind, readonly string[]> = {
  image: ['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'bmp'],
  video: ['mp4', 'webm', 'mov', 'm4v', 'ogv'],
  audio: ['mp3', 'm4a', 'ogg', 'oga', 'opus', 'wav', 'flac', 'aac'],
  pdf: ['pdf'],
  markdown: ['md', 'markdown'],
  text: [
    ...['txt', 'log', 'csv', 'tsv', 'ini', 'conf', 'cfg', 'toml', 'env', 'properties', 'diff', 'patch', 'json', 'yaml', 'yml', 'xml', 'sql'],
    ...['js', 'mjs', 'jsx', 'ts', 'tsx', 'css', 'scss', 'py', 'rb', 'php', 'pl', 'lua', 'sh', 'bash', 'zsh', 'ps1'],
    ...['c', 'h', 'cc', 'cpp', 'hpp', 'cs', 'java', 'kt', 'go', 'rs', 'swift', 'r', 'tex', 'srt', 'vtt'],
  ],
}

/** How the page shows a file; null: not at all. SVG and HTML are programs, and never shown. */
export function previewKind(name: string): PreviewKind | null {
  const ending = endingOf(name)
  const found = (Object.keys(KINDS) as PreviewKind[]).find((kind) => KINDS[kind].includes(ending))
  return name.includes('.') && found ? found : null
}

export const endingOf = (name: string): string => name.split('.').at(-1)!.toLowerCase()
