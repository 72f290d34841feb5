import type { Database, ReadTx, Tx } from '../../server/src/store/database.ts'

/**
 * Checks that the database makes while the scene plays, at each statement that it commits: triggers, which share no line with the engine. What they find
 * stands in `sim_fault`. `sim_writer` is the node whose transaction it is; `sim_fence` says who took each slot under its current fence.
 */
const TABLES = [
  'CREATE TABLE sim_fault (text TEXT NOT NULL)',
  'CREATE TABLE sim_writer (run_id INTEGER)',
  // grows with each change of a slot, so that what was read of them can be used again
  'CREATE TABLE sim_slots (version INTEGER NOT NULL)',
  'CREATE TABLE sim_fence (slot INTEGER PRIMARY KEY, fence INTEGER NOT NULL, run_id INTEGER NOT NULL)',
]

const writer = '(SELECT run_id FROM sim_writer)'
const taker = (slot: string): string => `(SELECT run_id FROM sim_fence WHERE slot = ${slot})`
const policy =
  "(SELECT COALESCE(json_extract(v.definition, '$.overlap.policy'), json_extract(v.definition, '$.definition.overlap.policy')) FROM task_version v WHERE v.task_id = NEW.task_id AND v.version = NEW.task_version)"
/** what speaks for its task: no shard, and nothing that a step defines in place */
const isOfTask = (run: string): string =>
  `${run}.shard_index IS NULL AND (${run}.workflow_id IS NULL OR ${run}.workflow_id <> ${run}.task_id)`
const beside = `${isOfTask('NEW')} AND EXISTS (SELECT 1 FROM open_instance o WHERE o.task_id = NEW.task_id AND o.id <> NEW.id AND ${isOfTask('o')} AND o.phase IN (3, 4))`
const inFlight = (of: 'group_id' | 'task_id'): string =>
  `(SELECT COUNT(*) FROM open_instance o WHERE o.${of} = NEW.${of} AND o.phase IN (3, 4) AND (o.children_made IS NULL OR o.reduce = 2) AND o.runs_workflow IS NULL)`
/** null: there is none, and no number is above it */
const groupLimit = '(SELECT g.concurrency FROM task_group g WHERE g.id = NEW.group_id AND g.concurrency > 0)'
const taskLimit =
  "(SELECT json_extract(v.definition, '$.concurrency') FROM task_version v WHERE v.task_id = NEW.task_id AND v.version = NEW.task_version)"

interface Rule {
  readonly on: string
  readonly when: string
  readonly fault: string
}

const RULES: readonly Rule[] = [
  { on: 'UPDATE ON instance', when: '1', fault: "'terminal: the ended run ' || OLD.id || ' was changed'" },
  { on: 'DELETE ON instance', when: '1', fault: "'terminal: the ended run ' || OLD.id || ' was deleted'" },
  {
    on: 'INSERT ON open_instance',
    when: 'EXISTS (SELECT 1 FROM instance i WHERE i.id = NEW.id)',
    fault: "'terminal: run ' || NEW.id || ' was opened again'",
  },
  {
    on: 'UPDATE ON slot',
    when: 'NEW.fence < OLD.fence',
    fault: "'slots: the fence of slot ' || NEW.id || ' went back from ' || OLD.fence || ' to ' || NEW.fence",
  },
  {
    on: 'UPDATE ON slot',
    when: 'NEW.owner_run IS NOT NULL AND NEW.owner_run IS NOT OLD.owner_run AND NEW.fence <= OLD.fence',
    fault: "'slots: slot ' || NEW.id || ' went to node ' || NEW.owner_run || ' without a larger fence'",
  },
  {
    on: 'INSERT ON firing',
    when: `${taker('(SELECT slot FROM series WHERE id = NEW.series_id)')} IS NOT ${writer}`,
    fault: `'slots: node ' || ${writer} || ' fired series ' || NEW.series_id || ' in a slot that another has'`,
  },
  {
    on: 'UPDATE ON open_instance',
    when: `NEW.phase = 3 AND OLD.phase < 3 AND ${taker('NEW.slot')} IS NOT ${writer}`,
    fault: `'slots: node ' || ${writer} || ' dispatched run ' || NEW.id || ' in a slot that another has'`,
  },
  {
    on: 'UPDATE ON series',
    when: 'NEW.last_due_at < OLD.last_due_at OR NEW.revision <= OLD.revision OR NEW.next_due_at <= NEW.last_due_at',
    fault: "'ledger: the cursor of series ' || NEW.id || ' went back'",
  },
  {
    on: 'UPDATE ON open_instance',
    when: 'NEW.attempt <> OLD.attempt AND (NEW.attempt <> OLD.attempt + 1 OR OLD.phase > 2 OR (OLD.attempt BETWEEN 1 AND 99 AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.instance_id = NEW.id AND a.attempt = OLD.attempt)))',
    fault: "'attempts: run ' || NEW.id || ' got attempt ' || NEW.attempt || ' before attempt ' || OLD.attempt || ' had ended'",
  },
  {
    on: 'UPDATE ON open_instance',
    when: `NEW.phase > 2 AND OLD.phase < 3 AND ${beside} AND ${policy} <> 'parallel'`,
    fault: "'attempts: run ' || NEW.id || ' was sent beside another run of its task'",
  },
  {
    on: 'INSERT ON open_instance',
    when: `NEW.phase = 3 AND ${beside} AND ${policy} <> 'parallel'`,
    fault: "'attempts: run ' || NEW.id || ' was fired beside another run of its task'",
  },
  ...(['INSERT', 'UPDATE'] as const).flatMap((what): Rule[] => {
    const isSent = what === 'INSERT' ? 'NEW.phase = 3' : 'NEW.phase = 3 AND OLD.phase < 3'
    return [
      {
        on: `${what} ON open_instance`,
        when: `${isSent} AND ${inFlight('group_id')} > ${groupLimit}`,
        fault: `'limits: run ' || NEW.id || ' was sent, and ' || ${inFlight('group_id')} || ' of its group are in flight, of ' || ${groupLimit}`,
      },
      {
        on: `${what} ON open_instance`,
        when: `${isSent} AND ${policy} = 'parallel' AND ${inFlight('task_id')} > ${taskLimit}`,
        fault: `'limits: run ' || NEW.id || ' was sent, and ' || ${inFlight('task_id')} || ' of its task are in flight, of ' || ${taskLimit}`,
      },
    ]
  }),
  {
    on: 'UPDATE ON task',
    when: 'NEW.paused IS NOT NULL AND NEW.paused IS NOT OLD.paused AND OLD.enabled = 0',
    fault: "'limits: task ' || NEW.id || ' was stopped a second time by its failures'",
  },
  {
    on: 'INSERT ON instance',
    when: 'NEW.first_child_id IS NOT NULL AND EXISTS (SELECT 1 FROM open_instance o WHERE o.parent_id = NEW.id AND o.retry_of IS NULL)',
    fault: "'shards: run ' || NEW.id || ' ended before its shards'",
  },
  {
    on: 'INSERT ON open_instance',
    when: `NEW.cause = 7 AND (NOT EXISTS (SELECT 1 FROM open_instance o WHERE o.id = NEW.parent_id AND o.phase = 4 AND o.cancel_at IS NULL) OR ${taker('NEW.slot')} IS NOT ${writer})`,
    fault: "'shards: shard ' || NEW.id || ' was made for a run that is not split, was canceled, or is another node’s'",
  },
  {
    on: 'INSERT ON instance',
    when: 'NEW.runs_workflow = 1 AND EXISTS (SELECT 1 FROM open_instance o JOIN step_run s ON s.run_id = NEW.id AND s.instance_id = o.id WHERE o.workflow_run_id = NEW.id AND o.cancel_at IS NULL)',
    fault: "'workflows: run ' || NEW.id || ' ended before what it had begun'",
  },
  {
    on: 'UPDATE ON step_run',
    when: 'OLD.state > 2 AND (NEW.state <> OLD.state OR NEW.output IS NOT OLD.output OR NEW.ended_at IS NOT OLD.ended_at OR NEW.branch IS NOT OLD.branch)',
    fault: "'workflows: step ' || OLD.step_no || ' of run ' || OLD.run_id || ' had ended, and was changed'",
  },
  {
    on: 'UPDATE ON step_run',
    when: 'OLD.edges IS NOT NULL AND NEW.edges IS NOT OLD.edges',
    fault: "'workflows: the edges of step ' || OLD.step_no || ' of run ' || OLD.run_id || ' were decided twice'",
  },
  {
    on: 'UPDATE ON step_run',
    when: 'OLD.instance_id IS NOT NULL AND NEW.instance_id IS NOT OLD.instance_id',
    fault: "'workflows: step ' || OLD.step_no || ' of run ' || OLD.run_id || ' was begun twice in one round'",
  },
  {
    on: 'UPDATE ON open_instance',
    when: `NEW.runs_workflow = 1 AND NEW.phase = 4 AND OLD.phase < 4 AND ${taker('NEW.slot')} IS NOT ${writer}`,
    fault: `'slots: node ' || ${writer} || ' began run ' || NEW.id || ' in a slot that another has'`,
  },
  {
    on: 'INSERT ON backfill_run',
    when: `(SELECT COUNT(*) FROM open_instance o WHERE o.series_id = NEW.backfill_id AND o.cause = 6) > (SELECT b.concurrency FROM backfill b WHERE b.id = NEW.backfill_id) OR ${taker('(SELECT b.slot FROM backfill b WHERE b.id = NEW.backfill_id)')} IS NOT ${writer}`,
    fault:
      "'backfills: run ' || NEW.instance_id || ' of backfill ' || NEW.backfill_id || ' is one more than may be open, or is made by a node that has lost its slot'",
  },
  {
    on: 'INSERT ON open_instance',
    when: 'NEW.cause = 6 AND NOT EXISTS (SELECT 1 FROM backfill b WHERE b.id = NEW.series_id AND b.stage = 1)',
    fault: "'backfills: run ' || NEW.id || ' was made for backfill ' || NEW.series_id || ', which has ended'",
  },
  {
    on: 'UPDATE ON executor',
    when: 'NEW.boot_id < OLD.boot_id',
    fault: "'executors: the boot of executor ' || NEW.id || ' went back'",
  },
]

const TAKEN =
  'CREATE TRIGGER sim_taken AFTER UPDATE ON slot WHEN NEW.owner_run IS NOT NULL AND NEW.fence > OLD.fence BEGIN INSERT OR REPLACE INTO sim_fence VALUES (NEW.id, NEW.fence, NEW.owner_run); END'

const CHANGED = 'CREATE TRIGGER sim_changed AFTER UPDATE ON slot BEGIN UPDATE sim_slots SET version = version + 1; END'

/** Makes the tables and triggers of the watch. */
export async function addWatch(db: Database): Promise<void> {
  await db.write('rest', async (tx) => {
    for (const statement of [...TABLES, TAKEN, CHANGED]) await tx.run(statement)
    for (const [index, { on, when, fault }] of RULES.entries())
      await tx.run(`CREATE TRIGGER sim_rule_${index} AFTER ${on} WHEN ${when} BEGIN INSERT INTO sim_fault VALUES (${fault}); END`)
  })
}

export async function resetWatch(tx: Tx): Promise<void> {
  for (const table of ['sim_fault', 'sim_writer', 'sim_fence', 'sim_slots']) await tx.run(`DELETE FROM ${table}`)
  await tx.run('INSERT INTO sim_writer VALUES (NULL)')
  await tx.run('INSERT INTO sim_slots VALUES (0)')
}

/** Says whose transaction this is. */
export async function writtenBy(tx: Tx, runId: number): Promise<void> {
  await tx.run('UPDATE sim_writer SET run_id = ?', [runId])
}

export async function slotsVersion(tx: ReadTx): Promise<number> {
  const [row] = await tx.all<{ version: number }>('SELECT version FROM sim_slots')
  return row?.version ?? 0
}

export async function faultsSeen(db: Database): Promise<string[]> {
  const rows = await db.read((tx) => tx.all<{ text: string }>('SELECT DISTINCT text FROM sim_fault'))
  return rows.map((row) => row.text)
}
