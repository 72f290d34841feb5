import type { ReadTx } from '../../../server/src/store/database.ts'
import type { InstanceRow } from '../../../server/src/store/schema.ts'

/** Invariant 2: a state once written as terminal never changes. Looks at every ended run now and then, and remembers what it saw. */
export class TerminalCheck {
  readonly #seen = new Map<number, string>()

  async look(tx: ReadTx): Promise<string[]> {
    const rows = new Map((await tx.all<InstanceRow>('SELECT * FROM instance')).map((row) => [row.id, JSON.stringify(row)]))
    const faults = [...this.#seen].flatMap(([id, before]) => {
      const now = rows.get(id)
      if (now === undefined) return [`terminal: the ended run ${id} is gone`]
      return now === before ? [] : [`terminal: the ended run ${id} was ${before} and is ${now}`]
    })
    for (const [id, row] of rows) this.#seen.set(id, row)
    const both = await tx.all<{ id: number }>('SELECT id FROM open_instance WHERE id IN (SELECT id FROM instance)')
    return [...faults, ...both.map(({ id }) => `terminal: run ${id} has ended and is open`)]
  }
}
