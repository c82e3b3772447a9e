// Writes the licences of every package of which the built page has a part, with their texts, beside the page.
// `deploy/notices.py` does the same for Python.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Licences that allow the page to be under Apache-2.0. */
const ALLOWED = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Unlicense'])
const LICENCE = /^(licen[cs]e|copying|notice)/i
const HEAD = 'The web page of Waystation is under the Apache License, version 2.0. It carries the packages below under their own licences.\n'
const LINE = '='.repeat(100)

/** A Vite plugin that notes the folders of the packages whose modules are in a bundle; `folders` may be shared by several. */
export function noting(folders) {
  return {
    name: 'note-packages',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        for (const id of Object.keys(chunk.modules ?? {})) {
          const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)
          if (found) folders.add(found[0].replace(/^\0/, ''))
        }
      }
    },
  }
}

/** Throws if a package has a licence that the page cannot carry. */
export async function writeNotices(folders, out) {
  const lines = []
  const texts = new Map()
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    if (!ALLOWED.has(license)) throw new Error(`${name} has the licence ${license}, which is not one of ${[...ALLOWED].join(', ')}`)
    lines.push(`${name} ${version}: ${license}`)
    for (const text of await textsIn(folder)) texts.set(text, [...(texts.get(text) ?? []), name])
  }
  const whole = [...texts].map(([text, names]) => `\n${LINE}\n${names.join(', ')}\n${LINE}\n\n${text}\n`)
  await writeFile(join(out, 'licenses.txt'), `${HEAD}\n${lines.join('\n')}\n${whole.join('')}`)
}

async function textsIn(folder) {
  const names = (await readdir(folder)).filter((name) => LICENCE.test(name)).sort()
  return Promise.all(names.map(async (name) => (await readFile(join(folder, name), 'utf8')).trim()))
}
