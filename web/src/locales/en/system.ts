import type { ClusterView, RedisState, ResumeHow } from '../../api/cluster.ts'
import type { SlotState } from '../../views/system/slot-cells.ts'

export const system = {
  title: 'System', stale: 'This is {span} old, because it could not be read again: {why}',
  tabs: { label: 'Pages of the system', system: 'Nodes', storage: 'Storage', transfer: 'Import and export', variables: 'Variables and secrets', calendars: 'Calendars' },
  stores: { sqlite: 'SQLite', mysql: 'MySQL' } satisfies Record<ClusterView['store'], string>,
  redisStates: { none: 'not used', ok: 'ok', away: 'away' } satisfies Record<RedisState, string>,
  head: { store: 'Store', redis: 'Redis', nodes: 'Nodes', level: 'Level', slots: 'Slots with a node', contended: 'Contended', answered: 'As of' },
  headHints: {
    level: 'The newest wire and table forms that every live node knows. It rises by itself after the last node is upgraded.',
    slots: 'Tasks are spread over {n} slots. The node that owns a slot fires its tasks; no other may.',
    contended: 'How often two nodes tried for the same slot, since the live nodes started. 0 while Redis is there. Without it the database decides, and nothing fires twice.',
  },
  nodesAlive: '{alive} of {all} alive', ofSlots: '{n} of {all}', justNow: 'just now',
  held: {
    title: 'Nothing fires: the database is older than it was', what: 'Held since {since}. The database goes to {store}, but it had come as far as {seen}: it looks like a backup was restored. {span} are missing.', whatUnknown: 'The database is older than nodes and executors have seen it: it looks like a backup was restored.',
    why: 'Runs of the missing time may have happened, and nobody can tell any more which. So no node fires until a person chooses. Runs that were open in the backup are taken up again either way.',
    fromNow: 'Go on from now', fromNowText: 'Everything missed is recorded as skipped: no missed instant runs late or a second time.',
    replay: 'Replay by misfire policy', replayText: 'Each task’s misfire policy decides about what was missed: skip it, run it once, or run all of it. What already ran in the missing time can run a second time.',
    notAllowed: 'Choosing needs the permission “system:edit”, which you do not have.',
    confirmTitle: { fromNow: 'Go on from now?', replay: 'Replay what was missed?' } satisfies Record<ResumeHow, string>,
    confirmText: {
      fromNow: 'Every instant missed until now is recorded as skipped, for every task. This cannot be taken back; tasks can still be started by hand.',
      replay: 'Every instant missed until now is given to the misfire policy of its task. Runs start at once, and some of them may repeat what was done before the restore. This cannot be taken back.',
    } satisfies Record<ResumeHow, string>,
    done: { fromNow: 'Firing goes on from now.', replay: 'Firing goes on. What was missed is being replayed.' } satisfies Record<ResumeHow, string>,
  },
  concerns: {
    label: 'What needs attention',
    noScheduler: 'No live node has the role “scheduler”, so nothing fires. Start one with --role scheduler, or without --role.',
    slotsWithoutNode: '{n} slot has no live node: its tasks wait. Another node takes it within about three seconds. | {n} slots have no live node: their tasks wait. Other nodes take them within about three seconds.',
    redisAway: 'Redis does not answer. That costs speed only: nodes hear of each other through the database, up to a second later. Nothing is lost and nothing fires twice.',
    redisSplit: 'Redis does not answer {nodes}, but it answers other nodes. That costs speed only; look at the network between them and Redis.',
    skewAhead: 'The clock of {node} is {span} ahead of the database’s. Turn on time synchronisation on that machine (chrony, systemd-timesyncd, w32time).',
    skewBehind: 'The clock of {node} is {span} behind the database’s. Turn on time synchronisation on that machine (chrony, systemd-timesyncd, w32time).',
    lag: 'The wheel of {node} hands over firings {span} late. Its machine or the database is short of time: look at their load.',
    versions: 'Nodes run different versions ({versions}). That is meant for the time of an upgrade: until all are upgraded, the older forms are used (level {level}).',
  },
  nodes: {
    title: 'Nodes', columns: { name: 'Node', roles: 'Roles', version: 'Version', beat: 'Last beat', slots: 'Slots', lag: 'Wheel lag', skew: 'Clock', runs: 'Runs', links: 'Executors', redis: 'Redis' },
    hints: {
      beat: 'Each node writes a beat every second. Three seconds without one, and others take its slots.', lag: 'How late the wheel handed over what was due: the worst of the last seconds.', skew: 'How far the clock of its machine is from the database’s. From 500 ms on it is marked.',
      runs: 'Open runs of its slots, and how many of them wait in a queue.', links: 'Executors that hold their connection there. A run reaches them from any node.', redis: 'Whether Redis answers this node.', slots: 'Slots it owns, and their share of all.',
    },
    self: 'this one', selfHint: 'The node that answers this page.', roles: { api: 'API', scheduler: 'Scheduler' }, level: 'level {n}', older: 'older', started: 'up {span}', ago: '{span} ago', silentSince: 'silent since', ahead: '+{span}', behind: '−{span}', exact: '0 ms', queued: '{n} queued',
    filter: 'Show its slots on the map', none: 'No node has told of itself', noneText: 'A node writes itself into the list within seconds of its start.',
  },
  alone: {
    title: 'This node is alone', mysql: 'If it stops, nothing fires until it is back. To add a node, start the same program on another machine with the same store, Redis and secret. It joins within seconds and takes its share of the slots:', sqlite: 'If it stops, nothing fires until it is back. SQLite serves one node only. Several nodes share a MySQL store, a Redis and a secret:',
    guide: 'More in {file}; an example with two nodes: {example}', copy: 'Copy the command',
  },
  slots: {
    title: 'Slots', map: 'Slots by node', cell: 'Slot {n}: {what}', all: 'All', filter: 'Show the slots of one node', free: 'no node', orphaned: '{name}, silent', unknown: 'node {id}',
    states: { owned: 'with a live node', orphaned: 'its node is silent', free: 'no node' } satisfies Record<SlotState, string>,
    facts: { slot: 'Slot {n}', pick: 'Point at a slot, or go through them with the arrow keys.', owner: 'Owner', state: 'State', fence: 'Fence', taken: 'Taken', lease: 'Lease in Redis', remaining: 'Lease ends', close: 'Unpin slot {n}' },
    fenceHint: 'A number that grows each time the slot changes hands. The database refuses writes with an older one.', noLeaseWhy: { none: 'Redis is not used', away: 'Redis is away', ok: 'not held now' } satisfies Record<RedisState, string>, otherHolder: '{name}, not the owner: the slot is changing hands', never: 'never',
  },
}
