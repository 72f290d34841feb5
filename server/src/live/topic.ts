/** What a connection watches. */
export interface Topic {
  close(): void
}
