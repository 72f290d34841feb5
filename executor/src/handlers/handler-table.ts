import type { Handler, Register } from '@tickwheel/contract'
import type { TaskHandler } from './handler.ts'

type Found =
  | { readonly kind: 'handler'; readonly handler: TaskHandler }
  | { readonly kind: 'unknownHandler'; readonly detail: string }
  | { readonly kind: 'handlerNotAllowed'; readonly detail: string }

interface Named {
  readonly description: string | undefined
  readonly paramsSchema: Readonly<Record<string, unknown>> | undefined
  readonly handler: TaskHandler
}

const SCHEMAS_BYTES = 524_288

/** What this executor can run: the built-in handlers that its configuration allows, and the application's own. */
export class HandlerTable {
  readonly #builtIn = new Map<string, TaskHandler>()
  readonly #named = new Map<string, Named>()

  allow(kind: 'shell' | 'script' | 'http', handler: TaskHandler): void {
    this.#builtIn.set(kind, handler)
  }

  /** Throws when the name is taken. */
  add(name: string, handler: TaskHandler, { description, paramsSchema }: Partial<Omit<Named, 'handler'>> = {}): void {
    if (this.#named.has(name)) throw new Error(`the handler ${name} is defined twice`)
    this.#named.set(name, { handler, description, paramsSchema })
  }

  find(wanted: Handler): Found {
    if (wanted.kind === 'named') {
      const named = this.#named.get(wanted.name)
      if (named === undefined) return { kind: 'unknownHandler', detail: `this executor has no handler named ${wanted.name}` }
      return { kind: 'handler', handler: named.handler }
    }
    const handler = this.#builtIn.get(wanted.kind)
    if (handler === undefined) return { kind: 'handlerNotAllowed', detail: `this executor does not allow ${wanted.kind} tasks` }
    return { kind: 'handler', handler }
  }

  /** As `register` tells it, in a request of at most 1 MiB: beyond 512 KiB of schemas the rest stays here, and the console has no form for those. */
  list(): Register['handlers'] {
    const builtIn = [...this.#builtIn.keys()].map((name) => ({ name, kind: 'builtIn' as const }))
    let left = SCHEMAS_BYTES
    const named = [...this.#named].map(([name, { description, paramsSchema }]) => {
      const bytes = paramsSchema === undefined ? 0 : Buffer.byteLength(JSON.stringify(paramsSchema))
      const isTold = bytes <= left
      if (isTold) left -= bytes
      return {
        name,
        kind: 'named' as const,
        ...(description === undefined ? {} : { description }),
        ...(paramsSchema === undefined || !isTold ? {} : { paramsSchema: { ...paramsSchema } }),
      }
    })
    return [...builtIn, ...named]
  }
}
