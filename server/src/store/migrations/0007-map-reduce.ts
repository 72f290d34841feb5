import { columns, table } from '../dialect/table.ts'

const splitByHandler = { mapped: 'int?', reduce: 'int?' } as const

/** Of a run that its handler has split while it ran. */
const runs = [columns('open_instance', splitByHandler), columns('instance', splitByHandler)]

/** The boot of an executor that knows such runs: it counts while it is the row's boot, which a node of an older level does not know to clear. */
const mapper = columns('executor', { map_boot: 'big?' })

/** What an attempt has split off and is not made into shards yet. Its numbers are the executor's, so that a frame that is sent again finds itself. */
const frames = table('map_frame', { instance_id: 'big', attempt: 'int', seq: 'int', shards: 'int', bytes: 'int', body: 'long' }, [
  'instance_id',
  'attempt',
  'seq',
])

export const mapReduce = { columns: [...runs, mapper], tables: [frames] }
