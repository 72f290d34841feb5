/** The paths of the router, as patterns that `public/first-paint.js` can try. */

/** A route as the router's table writes it, in one line: its path, aliases, and the module of its page. */
const ROUTE = /\{ path: '([^']*)'(?:, alias: '([^']*)')?.*?import\('\.\.\/(views\/[^']+)'\)/
const REDIRECT = /\{ path: '', redirect: '([^']*)'/

export interface PagePath {
  /** a regular expression over the whole path */
  readonly pattern: string
  readonly module: string
}

/** Reads the source of the router, whose backslashes are doubled. The page behind `/` is known by its redirect; what takes every path comes last. */
export function pathsOf(router: string): PagePath[] {
  const found = router.split('\n').flatMap((line) => {
    const [, path, alias, module] = ROUTE.exec(line) ?? []
    return module === undefined ? [] : [path, alias].flatMap((one) => (one === undefined ? [] : [{ path: `/${one.replace(/^\//, '')}`, module }]))
  })
  const start = REDIRECT.exec(router)?.[1]
  const aliases = found.filter(({ path }) => path === start).map(({ module }) => ({ path: '/', module }))
  const isRest = ({ path }: { readonly path: string }): boolean => path.includes('.*')
  return [...aliases, ...found.filter((route) => !isRest(route)), ...found.filter(isRest)].map(({ path, module }) => ({ pattern: `^${path.replace(/:\w+\(((?:[^()])*)\)\*?/g, '($1)').replaceAll('\\\\', '\\').replace(/(.)\/$/, '$1')}/?$`, module }))
}
