import type { ReadTx } from '../../../server/src/store/database.ts'
import type { Session } from '../../../server/src/link/link.ts'

export interface ExecutorSeen {
  readonly name: string
  /** null: it has been dead for longer than executors may be silent */
  readonly session: Session | null
}

/** Invariant 6: who lives is online under its newest boot; who is dead is offline, and nothing is thought to be there. */
export async function executorFaults(tx: ReadTx, executors: readonly ExecutorSeen[]): Promise<string[]> {
  const faults: string[] = []
  for (const { name, session } of executors) {
    const [row] = await tx.all<{ id: number; state: number; boot_id: number }>('SELECT id, state, boot_id FROM executor WHERE name = ?', [
      name,
    ])
    if (row === undefined) {
      if (session !== null) faults.push(`${name} is not known`)
      continue
    }
    if (session !== null && (row.state !== 1 || row.boot_id !== session.bootId))
      faults.push(`${name} lives as boot ${session.bootId}, and its row says state ${row.state}, boot ${row.boot_id}`)
    if (session === null && row.state !== 0) faults.push(`${name} is dead and its row says that it is online`)
    const there = await tx.all<{ id: number; attempt: number }>(
      'SELECT id, attempt FROM open_instance WHERE phase IN (3, 4) AND executor_id = ? AND boot_id <> ?',
      [row.id, session?.bootId ?? 0],
    )
    for (const run of there) faults.push(`attempt ${run.id}/${run.attempt} is thought to be at ${name}, in a boot that is gone`)
  }
  return faults.map((fault) => `executors: ${fault}`)
}
