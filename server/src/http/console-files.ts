import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'

const built = fileURLToPath(new URL('../../../web/dist', import.meta.url))

/** Where the built console stands; null when it has not been built. */
export function findConsole(): string | null {
  return existsSync(join(built, 'index.html')) ? built : null
}

/**
 * Serves the console: files whose name carries a hash are kept by browsers for ever, its page is asked for each time. The build has laid what is
 * compressed beside them (`.br`, `.gz`): whoever takes it gets it as it is.
 */
export async function registerConsole(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, {
    root,
    index: false,
    cacheControl: false,
    preCompressed: true,
    dotfiles: 'ignore',
    setHeaders: (response, path) => {
      void response.header('Cache-Control', path.startsWith(join(root, 'assets')) ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  // The page itself goes through `sendConsole`, which adds the content security policy.
  for (const path of ['/', '/index.html']) app.get(path, async (_request, reply) => sendConsole(reply, root))
}

/** The console's page, for every path that is no file and no call: its router takes over from there. */
export function sendConsole(reply: FastifyReply, root: string | null): FastifyReply {
  reply.helmet()
  if (root !== null) return reply.header('Cache-Control', 'no-cache').sendFile('index.html')
  return reply
    .code(200)
    .header('Content-Type', 'text/html; charset=utf-8')
    .send(
      '<!doctype html><title>Tickwheel</title><p>The console has not been built: run <code>npm run build</code>. The API is at <a href="/docs">/docs</a>.</p>',
    )
}
