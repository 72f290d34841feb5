import { ALARM_EVENT, ALARM_TARGET, INCIDENT_STATE, MESSAGE_RUNS, type AlarmEvent, type Facts, type Recovery } from '@tickwheel/core'
import { factsIn, outcomeWord, runsIn } from './alarm-incidents.ts'
import type { Tx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'
import type { AlarmRuleRow, IncidentRow, IncidentRunRow } from './schema.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/** So many things have an incident of their own at once; what happens beyond is counted in one for the rule. */
export const MAX_OPEN_INCIDENTS = 200
/** runs that are kept by an incident; later ones are only counted */
export const RUNS_KEPT = 1_000
/** recovered incidents that are still to be told, in one turn */
const RECOVERED_AT_ONCE = 500
/** What lasts is told of again and again while it does: that is no new occurrence. */
const LASTING: ReadonlySet<AlarmEvent> = new Set(['noExecutor', 'nodeDown'])

/** Something that happened. `outcome` of a run that has not ended is 0. */
export interface Occurrence {
  readonly event: AlarmEvent
  readonly targetKind: number
  readonly targetId: number
  readonly groupId: number | null
  /** epoch ms */
  readonly at: number
  /** the runs behind it, oldest first; none: it is about no run */
  readonly runs: readonly { readonly id: number; readonly outcome: number; readonly at: number; readonly error: string | null }[]
  readonly count: number
  readonly facts: Facts
}

/** The incidents of one rule during one turn of its consumer, who has its row locked. */
export class IncidentBook {
  readonly #tx: Tx
  readonly #rule: AlarmRuleRow
  readonly #takeId: () => number
  readonly #open = new Map<string, IncidentRow>()
  /** recovered, and not told yet */
  readonly #over: IncidentRow[]
  readonly #made: IncidentRow[] = []
  readonly #changed = new Set<IncidentRow>()
  readonly #runs: IncidentRunRow[] = []

  private constructor(tx: Tx, rule: AlarmRuleRow, takeId: () => number, rows: readonly IncidentRow[]) {
    this.#tx = tx
    this.#rule = rule
    this.#takeId = takeId
    for (const row of rows.filter(isOpen)) this.#open.set(keyOf(row), row)
    this.#over = rows.filter((row) => !isOpen(row))
  }

  static async load(tx: Tx, rule: AlarmRuleRow, takeId: () => number): Promise<IncidentBook> {
    const open = await tx.all<IncidentRow>('SELECT * FROM incident WHERE rule_id = ? AND state IN (1, 2) ORDER BY id', [rule.id])
    const over = await tx.all<IncidentRow>('SELECT * FROM incident WHERE rule_id = ? AND pending = 1 AND state = 3 ORDER BY id LIMIT ?', [
      rule.id,
      RECOVERED_AT_ONCE,
    ])
    return new IncidentBook(tx, rule, takeId, [...open, ...over])
  }

  /** Open ones, oldest first. */
  get open(): IncidentRow[] {
    return [...this.#open.values()]
  }

  /** Of which there may be something to tell. */
  get pending(): IncidentRow[] {
    return [...this.#open.values(), ...this.#over].filter((row) => row.pending === 1)
  }

  /** What was opened or changed in this turn. */
  get touched(): IncidentRow[] {
    return [...this.#made, ...this.#changed]
  }

  /** The open incident of an event and a thing; null: there is none. */
  find(event: AlarmEvent, targetKind: number, targetId: number): IncidentRow | null {
    return this.#open.get(this.#place(event, targetKind, targetId).key) ?? null
  }

  /** Opens an incident or adds to the one that is open. */
  record(occurrence: Occurrence): void {
    const { event, targetKind, targetId } = occurrence
    const place = this.#place(event, targetKind, targetId)
    const known = this.#open.get(place.key)
    if (known === undefined) this.#make(occurrence, place)
    else this.#add(known, occurrence)
  }

  /** Says that an incident is over. */
  recover(row: IncidentRow, by: Recovery, at: number): void {
    this.#open.delete(keyOf(row))
    this.#over.push(row)
    row.state = INCIDENT_STATE.recovered
    row.recovered_at = at
    row.recovered_by = by
    row.pending = 1
    this.#touch(row)
  }

  /** Notes what was said of an incident, or that there is nothing to say. */
  told(row: IncidentRow, isSaid: boolean): void {
    if (isSaid) {
      row.told_count = row.count
      row.told_state = row.state
    }
    row.pending = 0
    this.#touch(row)
  }

  /** Whether a run is known to be behind an incident. */
  async hasRun(row: IncidentRow, instanceId: number): Promise<boolean> {
    if (this.#runs.some((run) => run.incident_id === row.id && run.instance_id === instanceId)) return true
    const [known] = await this.#tx.all('SELECT 1 AS n FROM incident_run WHERE incident_id = ? AND instance_id = ?', [row.id, instanceId])
    return known !== undefined
  }

  /** Writes everything. */
  async save(): Promise<void> {
    await this.#tx.insert('incident', this.#made)
    await this.#tx.insertNew(
      'incident_run',
      this.#runs.toSorted((left, right) => left.incident_id - right.incident_id || left.instance_id - right.instance_id),
    )
    await this.#tx.runMany(
      'UPDATE incident SET state = ?, count = ?, last_at = ?, last_instance_id = ?, recovered_at = ?, recovered_by = ?, told_count = ?, told_state = ?, pending = ?, runs = ?, facts = ? WHERE id = ?',
      [...this.#changed]
        .toSorted((left, right) => left.id - right.id)
        .map((row) => [
          row.state,
          row.count,
          row.last_at,
          row.last_instance_id,
          row.recovered_at,
          row.recovered_by,
          row.told_count,
          row.told_state,
          row.pending,
          row.runs,
          row.facts,
          row.id,
        ]),
    )
  }

  /** Where an occurrence is counted: by its thing, by the rule if it says so, or if too many things have trouble. */
  #place(event: AlarmEvent, targetKind: number, targetId: number): { key: string; targetKind: number; targetId: number } {
    const own = { key: keyText(ALARM_EVENT[event], targetKind, targetId), targetKind, targetId }
    const isOwn = this.#rule.grouping !== 'rule' && (this.#open.has(own.key) || this.#open.size < MAX_OPEN_INCIDENTS)
    if (isOwn) return own
    const { group_id: groupId } = this.#rule
    const kind = groupId === null ? ALARM_TARGET.system : ALARM_TARGET.group
    return { key: keyText(ALARM_EVENT[event], kind, groupId ?? 0), targetKind: kind, targetId: groupId ?? 0 }
  }

  #make(occurrence: Occurrence, { targetKind, targetId }: { targetKind: number; targetId: number }): void {
    const isOwn = targetKind === occurrence.targetKind && targetId === occurrence.targetId
    const row: IncidentRow = {
      id: this.#takeId(),
      rule_id: this.#rule.id,
      rule_name: this.#rule.name,
      group_id: isOwn ? occurrence.groupId : this.#rule.group_id,
      event: ALARM_EVENT[occurrence.event],
      target_kind: targetKind,
      target_id: targetId,
      target_name: isOwn ? String(occurrence.facts['name'] ?? '') : '',
      state: INCIDENT_STATE.open,
      count: occurrence.count,
      opened_at: occurrence.at,
      last_at: occurrence.at,
      last_instance_id: 0,
      acknowledged_at: null,
      acknowledged_by: null,
      silenced_until: null,
      recovered_at: null,
      recovered_by: null,
      told_count: null,
      told_state: null,
      pending: 1,
      runs: '[]',
      facts: JSON.stringify(occurrence.facts),
    }
    this.#made.push(row)
    this.#open.set(keyOf(row), row)
    this.#addRuns(row, occurrence)
  }

  #add(row: IncidentRow, occurrence: Occurrence): void {
    row.last_at = Math.max(row.last_at, occurrence.at)
    row.facts = JSON.stringify({ ...factsIn(row.facts), ...occurrence.facts })
    this.#touch(row)
    if (LASTING.has(occurrence.event)) return
    row.count += occurrence.count
    if (row.state === INCIDENT_STATE.open) row.pending = 1
    this.#addRuns(row, occurrence)
  }

  #addRuns(row: IncidentRow, { runs }: Occurrence): void {
    const last = runs.at(-1)
    if (last === undefined) return
    row.last_instance_id = last.id
    row.runs = JSON.stringify(
      [
        ...runs.map((run) => ({ id: run.id, outcome: outcomeWord(run.outcome), at: run.at, error: run.error })).toReversed(),
        ...runsIn(row.runs),
      ].slice(0, MESSAGE_RUNS),
    )
    if (row.count <= RUNS_KEPT)
      this.#runs.push(...runs.map((run) => ({ incident_id: row.id, instance_id: run.id, outcome: run.outcome, at: run.at })))
  }

  #touch(row: IncidentRow): void {
    if (!this.#made.includes(row)) this.#changed.add(row)
  }

  /** Gives new incidents the names of what they are about, and tells workflows from tasks. Before anything is told of them. */
  async name(): Promise<void> {
    const ofTasks = this.#made.filter((row) => isTask(row.target_kind))
    const tasks = new Map<number, { name: string; handler_kind: string }>()
    for (const part of partsOf([...new Set(ofTasks.map((row) => row.target_id))], 1000)) {
      const list = listOfNumbers(part)
      const rows = await this.#tx.all<{ id: number; name: string; handler_kind: string }>(
        `SELECT id, name, handler_kind FROM task WHERE id IN ${list.sql}`,
        list.params,
      )
      for (const row of rows) tasks.set(row.id, row)
    }
    for (const row of ofTasks) {
      const task = tasks.get(row.target_id)
      row.target_name = task?.name ?? row.target_name
      row.target_kind = task?.handler_kind === WORKFLOW_KIND ? ALARM_TARGET.workflow : ALARM_TARGET.task
    }
    const ofGroups = this.#made.filter((row) => row.target_kind === ALARM_TARGET.group)
    if (ofGroups.length === 0) return
    const names = await groupNames(
      this.#tx,
      ofGroups.map((row) => row.target_id),
    )
    for (const row of ofGroups) row.target_name = names.get(row.target_id) ?? row.target_name
  }
}

export async function groupNames(tx: Tx, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const list = listOfNumbers([...new Set(ids)])
  const rows = await tx.all<{ id: number; name: string }>(`SELECT id, name FROM task_group WHERE id IN ${list.sql}`, list.params)
  return new Map(rows.map((row) => [row.id, row.name]))
}

export function isTask(targetKind: number): boolean {
  return targetKind === ALARM_TARGET.task || targetKind === ALARM_TARGET.workflow
}

function isOpen({ state }: IncidentRow): boolean {
  return state !== INCIDENT_STATE.recovered
}

function keyOf(row: IncidentRow): string {
  return keyText(row.event, row.target_kind, row.target_id)
}

/** Who leaves a signal may not know whether a task is a workflow. */
function keyText(event: number, targetKind: number, targetId: number): string {
  return `${event}:${isTask(targetKind) ? ALARM_TARGET.task : targetKind}:${targetId}`
}
