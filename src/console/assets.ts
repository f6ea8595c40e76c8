import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { RequestHandler } from 'express'
import { refuse } from './refuse.ts'

const files = {
  'console.css': { from: new URL('browser/console.css', import.meta.url), type: 'text/css' },
  'console.js': { from: new URL('browser/console.js', import.meta.url), type: 'text/javascript' },
  'plots.js': { from: new URL('browser/plots.js', import.meta.url), type: 'text/javascript' },
  'uplot.css': { from: new URL(import.meta.resolve('uplot/dist/uPlot.min.css')), type: 'text/css' },
  'uplot.js': { from: new URL(import.meta.resolve('uplot/dist/uPlot.iife.min.js')), type: 'text/javascript' },
  'live.js': { from: new URL('browser/live.js', import.meta.url), type: 'text/javascript' },
  'progress.js': { from: new URL('browser/progress.js', import.meta.url), type: 'text/javascript' },
  'icon.svg': { from: new URL('browser/icon.svg', import.meta.url), type: 'image/svg+xml' },
} as const

export type AssetName = keyof typeof files

export interface Assets {
  /** Address of a file; it changes with the content, so that what a browser kept is never an older one. */
  urlOf(name: AssetName): string
  readonly serve: RequestHandler
}

/** Reads the files that pages load, once, and compresses them. */
export async function loadAssets(): Promise<Assets> {
  const names = Object.keys(files) as AssetName[] // a literal's own keys are all that Object.keys gives
  const read = names.map(async (name) => {
    const content = await readFile(fileURLToPath(files[name].from))
    const version = createHash('sha256').update(content).digest('hex').slice(0, 12)
    return [
      name,
      { url: `/console/assets/${version}/${name}`, compressed: gzipSync(content, { level: 9 }), content },
    ] as const
  })
  const loaded = new Map(await Promise.all(read))
  return {
    urlOf: (name) => loaded.get(name)?.url ?? '',
    serve(req, res) {
      const found = [...loaded].find(([, { url }]) => url === `${req.baseUrl}${req.path}`)
      if (found === undefined) return refuse(res, 404, 'There is no such file, or it has changed: load the page again.')
      const [name, { compressed, content }] = found
      const isCompressed = req.acceptsEncodings('gzip') === 'gzip'
      if (isCompressed) res.set('Content-Encoding', 'gzip')
      res.set('Cache-Control', 'private, max-age=31536000, immutable').set('Vary', 'Accept-Encoding')
      res.type(`${files[name].type}; charset=utf-8`).send(isCompressed ? compressed : content)
    },
  }
}
