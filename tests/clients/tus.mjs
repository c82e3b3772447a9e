// Uploads a file with tus-js-client as one of several kinds of users, and prints what the last answer said as JSON.
//
// node tus.mjs KIND URL FILE

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as tus from 'tus-js-client'

const MIB = 1024 * 1024
const [kind, endpoint, file] = process.argv.slice(2)
const content = await readFile(file)

function upload(options, prepare = () => {}) {
  return new Promise((resolve, reject) => {
    const started = new tus.Upload(content, {
      endpoint,
      retryDelays: [0, 200, 1000, 3000],
      metadata: { filename: `${kind}.bin`, expire_style: 'day', expire_value: '1' },
      onError: reject,
      onSuccess: ({ lastResponse }) => resolve({ url: started.url, answer: lastResponse }),
      ...options,
    })
    prepare(started, resolve)
    started.start()
  })
}

// Stops after the first chunk, and goes on later.
function pausing(started) {
  let isPaused = false
  started.options.onChunkComplete = async () => {
    if (isPaused) return
    isPaused = true
    await started.abort()
    setTimeout(() => started.start(), 200)
  }
}

// Another process that knows nothing but the address of an upload, and may speak another protocol.
async function resuming(options = {}) {
  const begun = await upload({ chunkSize: MIB }, (started, resolve) => {
    started.options.onChunkComplete = async () => {
      await started.abort()
      resolve({ url: started.url })
    }
  })
  return upload({ uploadUrl: begun.url, ...options })
}

async function terminating() {
  return upload({ chunkSize: MIB }, (started, resolve) => {
    started.options.onChunkComplete = async () => {
      await started.abort(true)
      resolve({ url: started.url })
    }
  })
}

const checksum = (body) => `sha256 ${createHash('sha256').update(body).digest('base64')}`

const DRAFTS = ['ietf-draft-03', 'ietf-draft-05']

// The IETF's draft, as this client speaks it.
const drafts = Object.fromEntries(
  DRAFTS.flatMap((protocol) => [
    [protocol, () => upload({ protocol })],
    [`${protocol}-chunks`, () => upload({ protocol, chunkSize: 5 * MIB })],
    [`${protocol}-with-creation`, () => upload({ protocol, uploadDataDuringCreation: true, chunkSize: 3 * MIB })],
    [`${protocol}-pausing`, () => upload({ protocol, chunkSize: MIB }, pausing)],
    [`${protocol}-after-tus`, () => resuming({ protocol })],
  ]),
)

const KINDS = {
  ...drafts,
  whole: () => upload({}),
  chunks: () => upload({ chunkSize: 5 * MIB }),
  'with-creation': () => upload({ uploadDataDuringCreation: true, chunkSize: 3 * MIB }),
  deferred: () => upload({ uploadLengthDeferred: true, chunkSize: 3 * MIB }),
  parallel: () => upload({ parallelUploads: 4 }),
  override: () => upload({ overridePatchMethod: true, chunkSize: 5 * MIB }),
  checksum: () => upload({ headers: { 'Upload-Checksum': checksum(content) } }),
  'wrong-checksum': () => upload({ headers: { 'Upload-Checksum': checksum('something else') }, retryDelays: [] }),
  pausing: () => upload({ chunkSize: MIB }, pausing),
  resuming: () => resuming(),
  terminating,
}

try {
  const { url, answer } = await KINDS[kind]()
  console.log(JSON.stringify({ url, code: answer?.getHeader('Waystation-Code') ?? null }))
} catch (error) {
  console.log(JSON.stringify({ refused: error.originalResponse?.getStatus() ?? String(error) }))
}
