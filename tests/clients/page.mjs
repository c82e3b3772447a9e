// A page of another origin that sends files by Uppy with its tus plugin, and by tus-js-client alone. The test bundles it.

import Uppy from '@uppy/core'
import Tus from '@uppy/tus'
import { Upload } from 'tus-js-client'

const file = (name, size) => new File([new Uint8Array(size).map((_, at) => at % 251)], name)

/** Returns the address of the share that the upload became. */
window.sendByUppy = async (endpoint, size) => {
  const uppy = new Uppy().use(Tus, { endpoint, chunkSize: 300_000, allowedMetaFields: ['name'] })
  let url
  uppy.addFile({ name: 'by uppy.bin', data: file('by uppy.bin', size) })
  uppy.getPlugin('Tus').setOptions({ onAfterResponse: (_, answer) => (url = answer.getHeader('Waystation-Url') ?? url) })
  const { successful, failed } = await uppy.upload()
  return { url, sent: successful.length, failed: failed.map(({ error }) => String(error)) }
}

window.sendByTus = (endpoint, size) =>
  new Promise((resolve, reject) =>
    new Upload(file('by tus.bin', size), {
      endpoint,
      chunkSize: 300_000,
      metadata: { filename: 'by tus.bin' },
      onSuccess: ({ lastResponse }) => resolve({ url: lastResponse.getHeader('Waystation-Url'), sent: 1, failed: [] }),
      onError: reject,
    }).start(),
  )
