import { findZone } from '../time/zone.ts'

/** The day of an instant (epoch ms) in a zone, as YYYY-MM-DD. A zone that this runtime does not know counts as UTC. */
export function businessDate(at: number, zone: string): string {
  return new Date(at + (findZone(zone)?.offsetAt(at) ?? 0)).toISOString().slice(0, 10)
}
