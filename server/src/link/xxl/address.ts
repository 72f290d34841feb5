/** Where an XXL-JOB executor is called, and what it is called among the executors of its group. */
export interface XxlAddress {
  /** `http://10.0.0.5:9999` or with a path, never with a slash at the end */
  readonly base: string
  /** unique in the group: the address without its scheme, slashes as underscores */
  readonly name: string
}

const ADDRESS_LENGTH = 255
const NAME_LENGTH = 128

/**
 * Reads a registered address: with or without a scheme, a path and a slash at the end. The scheme is `http` where none is given. null: it is no address
 * that can be called, like one of another scheme, or with an account in it.
 */
export function readAddress(value: string): XxlAddress | null {
  const text = value.trim()
  if (text === '' || text.length > ADDRESS_LENGTH || /[\s\p{Cc}]/u.test(text)) return null
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') return null
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null
  const path = url.pathname.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '')
  return { base: `${url.protocol}//${url.host}${path}`, name: `${url.host}${path}`.replaceAll('/', '_').slice(0, NAME_LENGTH) }
}
