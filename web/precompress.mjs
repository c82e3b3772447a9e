// Puts a compressed copy beside every file of the built page that gets smaller by it, for the gateway to send.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const COMPRESSIBLE = /\.(js|css|html|svg|json|txt|webmanifest)$/

export async function precompress(folder) {
  const names = (await readdir(folder, { recursive: true })).filter((name) => COMPRESSIBLE.test(name))
  await Promise.all(names.map((name) => compress(join(folder, name))))
}

async function compress(path) {
  const content = await readFile(path)
  const made = {
    br: brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
    gz: gzipSync(content, { level: 9 }),
  }
  for (const [ending, smaller] of Object.entries(made)) {
    if (smaller.length < content.length) await writeFile(`${path}.${ending}`, smaller)
  }
}
