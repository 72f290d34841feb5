import { hash, verify } from '@node-rs/argon2'
import { AppError } from '@tickwheel/contract'
import { COMMON_PASSWORDS } from './common-passwords.ts'

/** argon2id: 19 MiB, two passes. The library's default algorithm is argon2id. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** The hash of a password, with its salt and cost inside. */
export async function hashPassword(password: string): Promise<string> {
  return hash(password, COST)
}

let nobody: Promise<string> | null = null

/**
 * Whether a password belongs to a hash. Without a hash (no such user) it does the same work and answers false, so that the time tells nothing.
 */
export async function isPassword(password: string, known: string | null): Promise<boolean> {
  nobody ??= hashPassword('nobody has this password')
  const matches = await verify(known ?? (await nobody), password)
  return known !== null && matches
}

/** What a password is judged against. `current`: the one that it replaces; null: none, or not known. `path`: the field that it came in. */
export interface PasswordPlace {
  readonly username: string
  readonly current: string | null
  readonly path: string
}

/** 8 to 128 characters, not the user's name, not a common one, not the one before. Throws `PASSWORD_TOO_WEAK` naming the rule. */
export function requireStrongPassword(password: string, { username, current, path }: PasswordPlace): void {
  const rule = password === current ? 'same' : brokenRule(password, username)
  if (rule !== null)
    throw new AppError('PASSWORD_TOO_WEAK', RULES[rule], {
      params: { rule },
      errors: [{ path, code: 'PASSWORD_TOO_WEAK', message: RULES[rule], params: { rule } }],
    })
}

const RULES = {
  length: 'A password has 8 to 128 characters.',
  username: 'A password must not be the user name.',
  common: 'This password is among the first that anyone would try: choose another.',
  same: 'The new password is the old one: choose another.',
} as const

function brokenRule(password: string, username: string): keyof typeof RULES | null {
  const { length } = Array.from(password)
  if (length < 8 || length > 128) return 'length'
  const folded = password.toLowerCase()
  if (folded.trim() === username.toLowerCase()) return 'username'
  return COMMON_PASSWORDS.has(folded) ? 'common' : null
}
