/** One port as two nodes have it: what `a` does, `b` sees. */
export interface Pair<Port> {
  readonly a: Port
  readonly b: Port
  readonly close: () => Promise<void>
}
