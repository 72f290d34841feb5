import type { FastifyReply } from 'fastify'

/** What a page of the console may load. It has no inline script; its component libraries set inline styles. */
export const CONSOLE_POLICY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  fontSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  workerSrc: ["'self'", 'blob:'],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
}

const EVERYWHERE = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'X-Frame-Options': 'DENY' }

/** An answer of the API is data: shown as a page it may do nothing, and nobody keeps it. */
const OF_API = { ...EVERYWHERE, 'Cache-Control': 'no-store', 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'" }

const OF_FILES = {
  ...EVERYWHERE,
  'Content-Security-Policy': policyText(),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** The headers that guard an answer. `hstsSeconds` 0: the caller did not come by HTTPS, as far as we may believe. */
export function guard(reply: FastifyReply, { isApi, hstsSeconds }: { readonly isApi: boolean; readonly hstsSeconds: number }): void {
  void reply.headers(isApi ? OF_API : OF_FILES)
  if (hstsSeconds > 0) void reply.header('Strict-Transport-Security', `max-age=${hstsSeconds}`)
}

function policyText(): string {
  return Object.entries(CONSOLE_POLICY)
    .map(([name, sources]) => `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${sources.join(' ')}`)
    .join(';')
}
