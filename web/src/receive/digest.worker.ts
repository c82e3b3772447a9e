import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** The SHA-256 of a file, read in pieces, so that its size does not matter. Posts numbers (bytes read), then the digest. */
onmessage = async ({ data: file }: MessageEvent<File>) => {
  try {
    const hash = sha256.create()
    let read = 0
    const reader = file.stream().getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      hash.update(value)
      read += value.length
      postMessage(read)
    }
    postMessage(bytesToHex(hash.digest()))
  } catch {
    postMessage(null)
  }
}
