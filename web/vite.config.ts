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
  },
  worker: { format: 'es', plugins: () => [noting(packages)] },
  server: { proxy: { '/v1': { target: api, changeOrigin: false } } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
})
