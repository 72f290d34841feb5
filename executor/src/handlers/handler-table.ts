import type { Handler, Register } from '@tickwheel/contract'
import type { TaskHandler } from './handler.ts'

type Found =
  | { readonly kind: 'handler'; readonly handler: TaskHandler }
  | { readonly kind: 'unknownHandler'; readonly detail: string }
  | { readonly kind: 'handlerNotAllowed'; readonly detail: string }

interface Named {
  readonly description: string | undefined
  readonly handler: TaskHandler
}

/** What this executor can run: the built-in handlers that its configuration allows, and the application's own. */
export class HandlerTable {
  readonly #builtIn = new Map<string, TaskHandler>()
  readonly #named = new Map<string, Named>()

  allow(kind: 'shell' | 'script' | 'http', handler: TaskHandler): void {
    this.#builtIn.set(kind, handler)
  }

  /** Throws when the name is taken. */
  add(name: string, handler: TaskHandler, description?: string): void {
    if (this.#named.has(name)) throw new Error(`the handler ${name} is defined twice`)
    this.#named.set(name, { handler, description })
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

  /** As `register` tells it. */
  list(): Register['handlers'] {
    const builtIn = [...this.#builtIn.keys()].map((name) => ({ name, kind: 'builtIn' as const }))
    const named = [...this.#named].map(([name, { description }]) => ({
      name,
      kind: 'named' as const,
      ...(description === undefined ? {} : { description }),
    }))
    return [...builtIn, ...named]
  }
}
