import type { Group, GroupCreate, Problem, SecretRotation, Task, TaskCreate, TaskListItem } from '@tickwheel/contract'
import { StartProblem } from '@tickwheel/server'

export interface Account {
  readonly server: string
  /** empty: user and password */
  readonly token: string
  readonly user: string
  readonly password: string
}

/** What a call sends that is not JSON. */
export interface Sent {
  readonly accept?: string
  readonly contentType?: string
  readonly body?: string
}

/** The calls of the API that commands need. What the server refuses is a StartProblem with its own words. */
export class Api {
  readonly #server: string
  readonly #token: string

  private constructor(server: string, token: string) {
    this.#server = server
    this.#token = token
  }

  static async open({ server, token, user, password }: Account): Promise<Api> {
    if (token !== '') return new Api(server, token)
    if (password === '')
      throw new StartProblem(
        '--password is missing: give it by TICKWHEEL_PASSWORD, or --password, or a token by --token; with --dry-run no server is asked.',
      )
    const login = await new Api(server, '').#call<{ token: string }>('POST', '/auth/login', { username: user, password })
    return new Api(server, login.token)
  }

  async groups(): Promise<Group[]> {
    return this.#all<Group>('/group')
  }

  async tasks(groupId: number): Promise<TaskListItem[]> {
    return this.#all<TaskListItem>(`/task?groupId=${String(groupId)}`)
  }

  async createGroup(group: GroupCreate): Promise<number> {
    return (await this.#call<Group>('POST', '/group', group)).id
  }

  async createTask(task: TaskCreate): Promise<number> {
    return (await this.#call<Task>('POST', '/task', task)).id
  }

  /** One step; call again while some are left. */
  async rotateSecrets(): Promise<SecretRotation> {
    return this.#call<SecretRotation>('POST', '/secret/rotate', {})
  }

  /** The answer as it is, also a refusal, for whoever tells it line by line. */
  async text(method: string, path: string, sent: Sent = {}): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await this.#send(method, path, sent)
    const text = await answer.text()
    if (answer.status !== 429) return { status: answer.status, text }
    await untilAllowed(answer)
    return this.text(method, path, sent)
  }

  async #all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = []
    for (let page = 1; ; page += 1) {
      const found = await this.#call<{ items: Item[]; total: number }>(
        'GET',
        `${path}${path.includes('?') ? '&' : '?'}page=${String(page)}&pageSize=200`,
      )
      items.push(...found.items)
      if (found.items.length === 0 || items.length >= found.total) return items
    }
  }

  /** The server says what its contract says, or a problem. */
  async #call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const sent = body === undefined ? {} : { contentType: 'application/json', body: JSON.stringify(body) }
    const { status, text } = await this.text(method, path, sent)
    if (status >= 200 && status < 300) return JSON.parse(text) as Answer
    throw new StartProblem(`${method} ${path}: ${detailOf(text) ?? `the server answered ${String(status)}`}`)
  }

  async #send(method: string, path: string, { accept, contentType, body }: Sent): Promise<Response> {
    try {
      return await fetch(new URL(`/api/v1${path}`, this.#server), {
        method,
        headers: {
          ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(accept === undefined ? {} : { accept }),
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      throw new StartProblem(`No server answers at ${this.#server}: start it, or name another by --server.`, error)
    }
  }
}

/** A call too many waits for as long as the server asks. */
async function untilAllowed(answer: Response): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(1, Number(answer.headers.get('retry-after') ?? 1))))
}

/** What a refusal says; null: it is none of the server's. */
export function detailOf(text: string): string | null {
  try {
    const problem = JSON.parse(text) as Partial<Problem>
    return problem.detail ?? null
  } catch {
    return null
  }
}
