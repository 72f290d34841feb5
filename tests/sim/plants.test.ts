import { describe, expect, it } from 'vitest'
import type { Tx } from '../../server/src/store/database.ts'
import { LockingTx, RowLocks } from './row-locks.ts'
import { play, type Plant } from './play.ts'

/** Many seeds are tried until a fault of the wanted kind shows: a plant need not do harm in every scene. */
const TRIES = 12

interface Case {
  readonly why: string
  readonly shows: RegExp
  readonly plant: Plant
}

const trigger = (name: string, when: string, does: string): string => `CREATE TRIGGER plant_${name} ${when} BEGIN ${does}; END`

const CASES: readonly Case[] = [
  {
    why: 'a firing that is written nowhere',
    shows: /^ledger: series \d+ at \d+: due, and nothing covers it/,
    plant: {
      sql: [trigger('lost', 'AFTER INSERT ON firing WHEN NEW.due_at / 1000 % 7 = 0', 'DELETE FROM firing WHERE due_at = NEW.due_at')],
    },
  },
  {
    why: 'a firing that was not due',
    shows: /^ledger: series \d+ fired at \d+, and was not due/,
    plant: {
      sql: [
        trigger(
          'extra',
          'AFTER INSERT ON firing WHEN NEW.due_at / 1000 % 7 = 0',
          'INSERT OR IGNORE INTO firing VALUES (NEW.due_at + 1, NEW.series_id, NEW.due_at, NEW.task_version, NEW.instance_id)',
        ),
      ],
    },
  },
  {
    why: 'an instant that is both fired and skipped',
    shows: /^ledger: series \d+ is covered twice/,
    plant: {
      sql: [
        trigger(
          'twice',
          'AFTER INSERT ON firing WHEN NEW.due_at / 1000 % 7 = 0',
          "INSERT OR IGNORE INTO skip VALUES (NEW.series_id, NEW.due_at, NEW.due_at, NEW.prev_due_at, 1, 60, '{}', NULL, NEW.due_at)",
        ),
      ],
    },
  },
  {
    why: 'an ended run that changes',
    shows: /^terminal: the ended run \d+ was changed/,
    plant: { sql: [trigger('changed', 'AFTER INSERT ON instance', 'UPDATE instance SET outcome = 2 WHERE id < NEW.id AND id % 5 = 0')] },
  },
  {
    why: 'an ended run that disappears after its end was acknowledged',
    shows: /^durable: the result \w+ of \d+\/\d+ was acknowledged/,
    plant: { sql: [trigger('gone', 'AFTER INSERT ON instance WHEN NEW.id % 3 = 0', 'DELETE FROM instance WHERE id = NEW.id')] },
  },
  {
    why: 'an executor that runs what it is sent twice',
    shows: /^attempts: attempt \d+\/\d+ ran \d+ times/,
    plant: { runsTwice: true, weather: { rates: { orderDoubled: 0.5 } } },
  },
  {
    why: 'attempts that leave no row',
    shows: /^attempts: run \d+ (got attempt|came to attempt)/,
    plant: {
      sql: [trigger('attempt', 'AFTER INSERT ON attempt', 'DELETE FROM attempt WHERE instance_id = NEW.instance_id')],
      weather: { rates: { rejected: 0.3, failed: 0.5 } },
    },
  },
  {
    why: 'a run that is set aside for ever',
    shows: /^bounds: run \d+ is stuck/,
    plant: {
      sql: [
        trigger(
          'aside',
          'AFTER INSERT ON open_instance WHEN NEW.id % 11 = 0',
          'UPDATE open_instance SET phase = 1, lane = 0, rank_at = 9000000000000000, attempt = 0 WHERE id = NEW.id',
        ),
        trigger(
          'again',
          'AFTER UPDATE ON open_instance WHEN NEW.id % 11 = 0 AND NEW.phase <> 1',
          'UPDATE open_instance SET phase = 1, lane = 0, rank_at = 9000000000000000 WHERE id = NEW.id',
        ),
      ],
    },
  },
  {
    why: 'a step of a workflow that is begun twice',
    shows: /^workflows: step \d+ of run \d+ was begun twice in one round/,
    plant: {
      sql: [
        trigger(
          'step_again',
          'AFTER INSERT ON step_run WHEN NEW.instance_id IS NOT NULL AND NEW.reused_from IS NULL',
          'UPDATE step_run SET instance_id = instance_id + 1 WHERE run_id = NEW.run_id AND step_no = NEW.step_no AND round = NEW.round',
        ),
      ],
    },
  },
  {
    why: 'a step that begins before what it depends on',
    shows: /^workflows: step \w+ of run \d+ began before what it depends on/,
    plant: {
      sql: [
        trigger(
          'step_early',
          'AFTER INSERT ON step_run WHEN NEW.step_no = 3 AND NEW.started_at IS NOT NULL',
          'UPDATE step_run SET started_at = started_at - 60000 WHERE run_id = NEW.run_id AND step_no = 3',
        ),
      ],
    },
  },
  {
    why: 'an ended step that changes',
    shows: /^workflows: step \d+ of run \d+ had ended, and was changed/,
    plant: {
      sql: [
        trigger(
          'step_changed',
          'AFTER INSERT ON instance WHEN NEW.runs_workflow = 1',
          'UPDATE step_run SET state = 4 WHERE run_id = NEW.id AND state = 3',
        ),
      ],
    },
  },
  {
    why: 'a parent whose result is not what its shards make of it',
    shows: /^shards: run \d+ says/,
    plant: {
      sql: [
        trigger(
          'sum',
          'AFTER INSERT ON instance WHEN NEW.first_child_id IS NOT NULL',
          'UPDATE instance SET result = \'{"shards":2}\' WHERE id = NEW.id',
        ),
      ],
    },
  },
  {
    why: 'a parent that ends before its shards',
    shows: /^shards: run \d+ ended before its shards/,
    plant: {
      sql: [
        trigger(
          'early',
          'AFTER UPDATE OF children_open ON open_instance WHEN NEW.children_open > 1',
          'UPDATE open_instance SET children_open = 1 WHERE id = NEW.id',
        ),
      ],
    },
  },
  {
    why: 'the end of a shard that its parent never hears of',
    shows: /^bounds: run \d+ is stuck/,
    plant: {
      sql: [trigger('unheard', 'AFTER INSERT ON signal WHEN NEW.kind = 4 AND NEW.id % 5 = 0', 'DELETE FROM signal WHERE id = NEW.id')],
    },
  },
  {
    why: 'the end of a run that its backfill never hears of',
    shows: /^backfills: backfill \d+ (is at stage|counts)/,
    plant: {
      sql: [trigger('backfilled', 'AFTER INSERT ON signal WHEN NEW.kind = 6 AND NEW.id % 3 = 0', 'DELETE FROM signal WHERE id = NEW.id')],
      weather: { personEveryMs: 200 },
    },
  },
  {
    why: 'a backfill that leaves an instant out',
    shows: /^backfills: backfill \d+ has made runs for/,
    plant: {
      sql: [
        trigger(
          'left_out',
          'AFTER UPDATE OF made ON backfill WHEN NEW.made > OLD.made AND NEW.made < NEW.total',
          'UPDATE backfill SET made = made + 1 WHERE id = NEW.id',
        ),
      ],
      weather: { personEveryMs: 200 },
    },
  },
  {
    why: 'a dead executor that stays online',
    shows: /^executors: x\d is dead and its row says that it is online/,
    plant: { sql: [trigger('online', 'BEFORE UPDATE ON executor WHEN NEW.state = 0', 'SELECT RAISE(IGNORE)')] },
  },
  {
    why: 'a boot that goes back',
    shows: /^executors: the boot of executor \d+ went back/,
    plant: {
      sql: [
        trigger(
          'boot',
          'AFTER UPDATE OF boot_id ON executor WHEN NEW.boot_id > OLD.boot_id',
          'UPDATE executor SET boot_id = 5 WHERE id = NEW.id',
        ),
      ],
      weather: { blows: [{ blow: 'crashExecutor', weight: 1 }], blowEveryMs: 1000 },
    },
  },
  {
    why: 'a slot that nobody can take',
    shows: /^slots: \d+ have another owner than they should/,
    plant: { sql: [trigger('seven', 'BEFORE UPDATE ON slot WHEN NEW.id = 7 AND NEW.owner_run IS NOT NULL', 'SELECT RAISE(IGNORE)')] },
  },
  {
    why: 'slots that cannot be taken from a dead node',
    shows: /^slots: \d+ are not taken over/,
    plant: {
      sql: [
        trigger(
          'takeover',
          'BEFORE UPDATE ON slot WHEN OLD.owner_run IS NOT NULL AND NEW.owner_run IS NOT NULL AND NEW.owner_run <> OLD.owner_run',
          'SELECT RAISE(IGNORE)',
        ),
      ],
      weather: { nodes: 3 },
    },
  },
  {
    why: 'a fence that does not grow',
    shows: /^slots: (the fence of slot|slot \d+ went to node)/,
    plant: {
      sql: [trigger('fence', 'AFTER UPDATE OF fence ON slot WHEN OLD.fence > 1', 'UPDATE slot SET fence = OLD.fence WHERE id = NEW.id')],
      weather: { nodes: 3 },
    },
  },
  {
    why: 'nodes whose transactions do not look at the fence',
    shows: /^slots: node \d+ (fired|dispatched)/,
    plant: {
      bend: () => ignoringFences(),
      weather: {
        nodes: 3,
        rates: { crash: 0, killMissed: 1 },
        blows: [{ blow: 'suspendNode', weight: 1 }],
        blowEveryMs: 1000,
        stormMs: 30_000,
      },
    },
  },
  {
    why: 'nodes that do not count what others have in flight',
    shows: /^limits: run \d+ was sent, and \d+ of its group are in flight/,
    plant: { bend: () => (tx) => new BlindTx(tx, new RowLocks()), groupLimit: 2, weather: { nodes: 3 } },
  },
  {
    why: 'a task that keeps to no limit',
    shows: /^limits: run \d+ was sent, and \d+ of its task are in flight/,
    plant: {
      sql: [
        trigger(
          'beside',
          'AFTER UPDATE ON open_instance WHEN NEW.phase = 3 AND OLD.phase < 3',
          'UPDATE open_instance SET phase = 3 WHERE id = (SELECT MIN(id) FROM open_instance WHERE task_id = NEW.task_id AND phase = 1 AND wait_code = 40)',
        ),
      ],
      groupLimit: 100,
    },
  },
]

/** Sees nothing of a group in flight. */
class BlindTx extends LockingTx {
  override async all<Row>(...[sql, params]: Parameters<Tx['all']>): Promise<Row[]> {
    return sql.startsWith('SELECT group_id, COUNT(*)') ? [] : super.all<Row>(sql, params)
  }
}

/** The fence that this process took each slot under is what it is told for ever after. */
function ignoringFences(): (tx: Tx) => Tx {
  const taken = new Map<number, number>()
  return (tx) => new IgnoringTx(tx, taken)
}

class IgnoringTx extends LockingTx {
  readonly #taken: Map<number, number>

  constructor(tx: Tx, taken: Map<number, number>) {
    super(tx, new RowLocks())
    this.#taken = taken
  }

  override async all<Row>(...[sql, params]: Parameters<Tx['all']>): Promise<Row[]> {
    const rows = await super.all<Row>(sql, params)
    return sql.startsWith('SELECT id, fence FROM slot') ? rows.map((row) => this.#asTaken(row)) : rows
  }

  override async runMany(...[sql, rows]: Parameters<Tx['runMany']>): Promise<number> {
    if (sql.startsWith('UPDATE slot SET owner_run = ?, fence = ?')) for (const row of rows) this.#taken.set(Number(row[3]), Number(row[1]))
    return super.runMany(sql, rows)
  }

  #asTaken<Row>(row: Row): Row {
    const { id } = row as { id: number }
    const fence = this.#taken.get(id)
    return fence === undefined ? row : { ...row, fence }
  }
}

describe('each check of the simulation can fail', () => {
  it.each(CASES)('finds $why', async ({ shows, plant }) => {
    const seen: string[] = []
    for (let seed = 1; seed <= TRIES && !seen.some((fault) => shows.test(fault)); seed += 1)
      seen.push(...(await play({ seed, plant })).faults)
    expect(seen).toContainEqual(expect.stringMatching(shows))
  })
})
