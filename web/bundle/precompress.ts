/** Lays a Brotli and a gzip file beside each file of a build that gets smaller by it: the server sends them as they are, and compresses nothing. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const TEXT = new Set(['.js', '.css', '.html', '.svg', '.json', '.txt', '.map', '.webmanifest'])
/** Smaller ones fit into a packet as they are. */
const WORTH_BYTES = 1024

const brotliOf = promisify(brotliCompress)
const gzipOf = promisify(gzip)

export function precompress(): Plugin {
  return {
    name: 'tickwheel-precompress',
    apply: 'build',
    writeBundle: {
      sequential: true,
      order: 'post',
      async handler({ dir = 'dist' }) {
        const names = (await readdir(dir, { recursive: true })).filter((name) => TEXT.has(extname(name)))
        await Promise.all(names.map(async (name) => compress(join(dir, name))))
      },
    },
  }
}

async function compress(file: string): Promise<void> {
  const text = await readFile(file)
  if (text.length < WORTH_BYTES) return
  const brotli = await brotliOf(text, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } })
  const gzipped = await gzipOf(text, { level: constants.Z_BEST_COMPRESSION })
  if (brotli.length < text.length) await writeFile(`${file}.br`, brotli)
  if (gzipped.length < text.length) await writeFile(`${file}.gz`, gzipped)
}
