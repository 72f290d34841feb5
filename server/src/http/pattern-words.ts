import { ApiTokenCreate, AppName, Name, Register, Username, UserUpdate } from '@tickwheel/contract'

const words = new Map<string, string>(
  [
    [Name, 'a name without "/" and without control characters'] as const,
    [AppName, 'lower-case letters, digits and hyphens, beginning with a letter, 2 to 64 characters (like `billing-jobs`)'] as const,
    [Register.properties.processKey, 'letters, digits, "_" and "-"'] as const,
    [Register.properties.name, 'a name without spaces and "/"'] as const,
    [Username, 'letters, digits and . _ @ + - (like `ann.smith`), beginning with a letter or a digit'] as const,
    [UserUpdate.properties.displayName, 'text without control characters'] as const,
    [ApiTokenCreate.properties.name, 'a name without control characters'] as const,
  ].flatMap(([schema, text]) => ('pattern' in schema && typeof schema.pattern === 'string' ? [[schema.pattern, text] as const] : [])),
).set('^https?://', 'an address that begins with http:// or https://')

/** What a pattern of the contract wants, in words. */
export function wordsOfPattern(pattern: string): string {
  return words.get(pattern) ?? `text that matches ${pattern}`
}
