import { lookup as lookupName } from 'node:dns'
import { isIP } from 'node:net'
import { createTransport, type SMTPTransportOptions } from 'nodemailer'
import type { Networks } from '../../link/networks.ts'
import type { EmailSettings } from '../settings.ts'
import { html } from '../format/html.ts'
import { plainText } from '../format/text.ts'
import { SEND_TIMEOUT_MS } from '../http-post.ts'
import type { Letter } from '../letter.ts'
import { failed, sent, type SendOutcome } from '../outcome.ts'

const SUBJECT_CHARS = 200

export interface EmailNeeds {
  readonly networks: Networks
  readonly timeoutMs?: number
}

/**
 * Sends a mail over SMTP. Its `Message-ID` is made of the delivery, so that a repeat is the same mail to programs that look at it; mails of one incident
 * refer to one another. Mails to several people of which some are refused count as sent: sending again would reach the others twice.
 */
export async function sendEmail(
  settings: EmailSettings,
  letter: Letter,
  { networks, timeoutMs = SEND_TIMEOUT_MS }: EmailNeeds,
): Promise<SendOutcome> {
  const found = await addressOf(settings.host, networks)
  if (found.kind === 'failed') return found.outcome
  const transport = createTransport(transportOptions(settings, found.address, timeoutMs))
  const late = timeLimit(timeoutMs)
  try {
    return await Promise.race([transport.sendMail(mailOf(settings, letter)).then(outcomeOf), late.passed])
  } catch (error) {
    return failureOf(error)
  } finally {
    late.clear()
    transport.close()
  }
}

function transportOptions(settings: EmailSettings, address: string, timeoutMs: number): SMTPTransportOptions {
  const { host, port, security, checkCertificate, user, password } = settings
  return {
    // the address that was judged is the one that is connected to; the name is what the certificate must be for
    host: address,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { rejectUnauthorized: checkCertificate, ...(isIP(host) === 0 ? { servername: host } : {}) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === '' ? {} : { auth: { user, pass: password } }),
  }
}

function mailOf({ from, to }: EmailSettings, { id, message, notice }: Letter) {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'tickwheel.invalid'
  const thread = message.incidentId === null ? {} : { references: [`<tickwheel-incident-${message.incidentId}@${domain}>`] }
  return {
    from,
    to: [...to],
    subject: notice.subject.slice(0, SUBJECT_CHARS),
    text: plainText(notice),
    html: html(notice),
    messageId: `<tickwheel-${id}@${domain}>`,
    ...thread,
    headers: { 'X-Tickwheel-Delivery': id, 'Auto-Submitted': 'auto-generated' },
  }
}

interface Answer {
  readonly response: string
  readonly rejected: readonly (string | { readonly address: string })[]
}

function outcomeOf({ response, rejected }: Answer): SendOutcome {
  const refused = rejected.map((one) => (typeof one === 'string' ? one : one.address))
  return sent(refused.length === 0 ? response : `${response}; refused: ${refused.join(', ')}`)
}

/** A reply of 5xx is for good (RFC 5321, 4.2.1), one of 4xx for now. */
function failureOf(error: unknown): SendOutcome {
  if (!(error instanceof Error)) return failed('error', String(error))
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const reply = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : null
  const isCertificate = /CERT|SELF_SIGNED|ALTNAME|ETLS/i.test(`${code} ${error.message}`)
  if (reply !== null) return failed(reply >= 500 ? 'refused' : 'error', error.message, { isRejected: reply >= 500 })
  if (code === 'ETIMEDOUT') return failed('timeout', error.message)
  if (code === 'EAUTH' || code === 'EENVELOPE' || isCertificate) return failed('refused', error.message, { isRejected: true })
  return failed('unreachable', error.message)
}

type Found = { readonly kind: 'found'; readonly address: string } | { readonly kind: 'failed'; readonly outcome: SendOutcome }

function addressOf(host: string, networks: Networks): Promise<Found> {
  if (isIP(host) !== 0)
    return Promise.resolve(networks.allows(host) ? { kind: 'found', address: host } : refused(networks.refusalOf(urlOf(host)) ?? host))
  return new Promise((resolve) => {
    lookupName(host, { all: true }, (error, found) => {
      if (error !== null) return resolve({ kind: 'failed', outcome: failed('unreachable', error.code ?? error.message) })
      const allowed = found.find(({ address }) => networks.allows(address))
      if (allowed !== undefined) return resolve({ kind: 'found', address: allowed.address })
      resolve(refused(networks.refusalOf(urlOf(found[0]?.address ?? host)) ?? host))
    })
  })
}

function refused(detail: string): Found {
  return { kind: 'failed', outcome: failed('network', detail, { isRejected: true }) }
}

function urlOf(address: string): URL {
  return new URL(`smtp://${address.includes(':') ? `[${address}]` : address}`)
}

/** The library's own limits begin anew with each reply: a server that answers one line every nine seconds would never be late. */
function timeLimit(ms: number): { readonly passed: Promise<SendOutcome>; readonly clear: () => void } {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<SendOutcome>((resolve) => {
    timer = setTimeout(() => resolve(failed('timeout', `no answer within ${ms} ms`)), ms)
  })
  return { passed, clear: () => clearTimeout(timer) }
}
