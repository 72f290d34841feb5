/** A value with one field set, or left out where it is undefined. */
export function withField<Whole extends object, Name extends keyof Whole>(whole: Whole, name: Name, value: Whole[Name] | undefined): Whole {
  const next = { ...whole }
  if (value === undefined) Reflect.deleteProperty(next, name)
  else next[name] = value
  return next
}
