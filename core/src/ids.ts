/** Ids are positive integers below 2^53; the brand keeps a task from being passed for an instance. */
declare const brand: unique symbol
export type Id<Kind extends string> = number & { readonly [brand]: Kind }

export type GroupId = Id<'group'>
export type TaskId = Id<'task'>
export type SeriesId = Id<'series'>
export type InstanceId = Id<'instance'>
export type ExecutorId = Id<'executor'>
export type UserId = Id<'user'>

/** Brands a number that came from the store or passed validation. Zero cost. */
export function id<Kind extends string>(value: number): Id<Kind> {
  return value as Id<Kind>
}

/** Which groups a query may return rows of. Required everywhere, so that forgetting it does not compile. */
export type Scope = 'all' | readonly GroupId[]
