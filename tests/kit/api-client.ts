export interface Answer<Body = unknown> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

interface Login {
  readonly token: string
  readonly refreshToken: string
}

/** Speaks JSON with a server under `/api/v1`. An answer of any status is returned, not thrown; `ok` throws unless it is a 2xx. */
export class ApiClient {
  readonly url: string
  readonly token: string | undefined

  constructor(url: string, token?: string) {
    this.url = url
    this.token = token
  }

  /** Signs in and returns a client that carries the token. */
  static async signIn(url: string, username: string, password: string): Promise<ApiClient> {
    const login = await new ApiClient(url).ok<Login>('POST', '/auth/login', { username, password })
    return new ApiClient(url, login.token)
  }

  /** One call; `path` is what follows `/api/v1`. The body is whatever the server says: the caller names the type it expects. */
  async call<Body>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<Body>> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, body: (await readBody(response)) as Body }
  }

  /** One GET of a path at the root, outside `/api/v1`. */
  async root<Body>(path: string): Promise<Answer<Body>> {
    const response = await fetch(this.url + path, { headers: this.token === undefined ? {} : { authorization: `Bearer ${this.token}` } })
    return { status: response.status, headers: response.headers, body: (await readBody(response)) as Body }
  }

  /** The body of a call that must succeed. */
  async ok<Body>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Body> {
    const answer = await this.call<Body>(method, path, body, headers)
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${method} ${path} answered ${String(answer.status)}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async get<Body>(path: string): Promise<Body> {
    return this.ok<Body>('GET', path)
  }

  async post<Body>(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Body> {
    return this.ok<Body>('POST', path, body, headers)
  }

  async put<Body>(path: string, body: unknown): Promise<Body> {
    return this.ok<Body>('PUT', path, body)
  }

  async delete(path: string): Promise<void> {
    await this.ok<unknown>('DELETE', path)
  }
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === '') return undefined
  return /json/.test(response.headers.get('content-type') ?? '') ? (JSON.parse(text) as unknown) : text
}
