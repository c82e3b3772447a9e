/** Files from a drop, the clipboard or a chooser, those of folders included. */

export type Gathered = { file: File; name: string }

export async function gatherDrop(transfer: DataTransfer): Promise<Gathered[]> {
  // The entries have to be taken before anything is awaited: the list is emptied when the event is over.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null)
  if (entries.every((entry) => entry === null)) return gatherList(transfer.files)
  const found: Gathered[] = []
  for (const entry of entries) if (entry) await walk(entry, '', found)
  return found
}

export function gatherList(files: FileList | readonly File[]): Gathered[] {
  return [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name || pastedName(file) }))
}

async function walk(entry: FileSystemEntry, folder: string, found: Gathered[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    found.push({ file, name: folder + file.name })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // A reader gives a hundred entries at a time, and none at the end.
    const inside = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (inside.length === 0) return
    for (const each of inside) await walk(each, `${folder}${entry.name}/`, found)
  }
}

function pastedName(file: File): string {
  return `file.${file.type.split('/')[1]?.replace(/[^a-z0-9].*/, '') || 'bin'}`
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')
}
