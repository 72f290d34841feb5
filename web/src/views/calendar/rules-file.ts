import { CalendarRules } from '@tickwheel/contract'
import { Value } from 'typebox/value'

/** The rules of an exported file, or rules alone; null: it is neither. */
export function readFileText(text: string): CalendarRules | null {
  const read = parsed(text)
  const rules = typeof read === 'object' && read !== null && 'rules' in read ? read.rules : read
  return Value.Check(CalendarRules, rules) ? rules : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
