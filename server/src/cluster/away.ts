/** What nodes share (Redis) did not answer in time, or the connection is gone. Whoever asks goes on without it: the database is the authority. */
export class ClusterAway extends Error {
  constructor(cause?: unknown) {
    super('the shared store of the cluster (Redis) does not answer', { cause })
    this.name = 'ClusterAway'
  }
}
