import type { Database } from './database.ts'
import { mainJob } from './migrations/0001-main-job.ts'
import { logsInDatabase } from './migrations/0002-logs-in-database.ts'

/** Makes an empty database what the release before the cluster left: schema level 2, which knew neither `oldest_reader` nor the columns of later levels. */
export async function makeLevel2(db: Database): Promise<void> {
  const { dialect } = db
  const tables = [...mainJob, ...(dialect.keepsLogs ? logsInDatabase : [])]
  await dialect.exclusively(async (tx) => {
    for (const statement of tables.flatMap((spec) => dialect.render(spec))) await tx.run(statement)
    await tx.run("INSERT INTO meta (`key`, value) VALUES ('schema_level', '2')")
    await tx.runMany(
      'INSERT INTO slot (id, fence, owner_run, taken_at) VALUES (?, 3, NULL, 0)',
      Array.from({ length: 256 }, (_, id) => [id]),
    )
    await tx.run("INSERT INTO id_block (name, next_id) VALUES ('run', 1000), ('entity', 20)")
  })
}

/** What a program of level 2 writes when it starts, while nodes of a later level may be running. */
export async function writeAsLevel2(db: Database, runId: number): Promise<void> {
  await db.write('rest', (tx) =>
    tx.run(
      "INSERT INTO node (run_id, name, url, roles, version, level, connection_ids, beat_at) VALUES (?, 'old', '', 'api,scheduler', '1.0', 2, '', 5)",
      [runId],
    ),
  )
}
