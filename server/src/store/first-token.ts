/** The id of the executor token that a person gives before the first start: whatever takes an entity id first, the group `default`, has the number 1, so no other token gets it. */
export const FIRST_TOKEN_ID = 1

const VALUE = new RegExp(`^twe_${String(FIRST_TOKEN_ID)}_[\\w-]{43}$`)

/** Whether a text can be the value of the first executor token. */
export function isFirstToken(value: string): boolean {
  return VALUE.test(value)
}
