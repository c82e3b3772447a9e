import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { noting, writeNotices } from './notices.mjs'
import { precompress } from './precompress.mjs'

const packages = new Set<string>()

const finished: Plugin = {
  name: 'finish',
  apply: 'build',
  async writeBundle({ dir = 'dist' }) {
    await writeNotices(packages, dir)
    await precompress(dir)
  },
}

type Look = (id: string) => { importers: string[]; isEntry: boolean } | null
const first = new Set<string>()

/** Whether a module is loaded with the page itself, not with one of its places. */
function isFirst(id: string, look: Look, passed = new Set<string>()): boolean {
  if (first.has(id)) return true
  if (passed.has(id)) return false
  passed.add(id)
  const module = look(id)
  const found = module !== null && (module.isEntry || module.importers.some((importer) => isFirst(importer, look, passed)))
  if (found) first.add(id)
  return found
}

// PAGE_API is a running system that answers the calls of `npm run dev`.
const api = process.env['PAGE_API'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), noting(packages), finished],
  build: {
    outDir: process.env['PAGE_FOLDER'] ?? 'dist',
    target: 'es2022',
    // The gateway's policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // All that the first page needs is one file: each answer costs headers, and small files compress badly.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: (id, chunking) => (isFirst(id, (each) => chunking.getModuleInfo(each)) ? 'first' : null) }] } } },
  },
  worker: { format: 'es', plugins: () => [noting(packages)] },
  server: { proxy: Object.fromEntries(['/v1', '/manifest.webmanifest'].map((path) => [path, { target: api, changeOrigin: false }])) },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
})
