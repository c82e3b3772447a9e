import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { precompress } from './precompress.mjs'

const compressed: Plugin = {
  name: 'precompress',
  apply: 'build',
  writeBundle: ({ dir }) => precompress(dir ?? 'dist'),
}

// PAGE_API is a running system that answers the calls of `npm run dev`.
const api = process.env['PAGE_API'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), compressed],
  build: {
    outDir: process.env['PAGE_FOLDER'] ?? 'dist',
    target: 'es2022',
    // The gateway's policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': { target: api, changeOrigin: false } } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
})
