/** High-water marks that outlive a node and a restore of the database: a number only grows. */
export interface Marks {
  /** Sets the mark to the larger of what it is and `value`; what it is then. Throws `ClusterAway`. */
  raise(name: string, value: number): Promise<number>
  /** 0: never set. Throws `ClusterAway`. */
  read(name: string): Promise<number>
}
