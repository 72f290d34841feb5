/**
 * Mixes an integer below 2^53 into a 32-bit hash with a seed: the finalizer of MurmurHash3 (Austin Appleby, public domain) over both halves.
 * Slots of stored rows depend on it, so it must never change; `slot.test.ts` holds vectors.
 */
export function hashInteger(value: number, seed: number): number {
  const low = value | 0
  const high = Math.floor(value / 2 ** 32) | 0
  return mix(mix(mix(seed | 0) ^ low) ^ high) >>> 0
}

function mix(hash: number): number {
  let mixed = (hash + 0x9e3779b9) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
