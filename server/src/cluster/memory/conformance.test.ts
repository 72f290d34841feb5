import { bucketsConform } from '../buckets.fixture.ts'
import { busConforms } from '../bus.fixture.ts'
import { cacheConforms } from '../cache.fixture.ts'
import { leasesConform } from '../leases.fixture.ts'
import { marksConform } from '../marks.fixture.ts'
import { membersConform } from '../members.fixture.ts'
import type { Pair } from '../pair.fixture.ts'
import { memoryCluster } from './cluster.ts'

const open = memoryCluster(() => performance.now())
const shared =
  <Port>(port: Port) =>
  async (): Promise<Pair<Port>> => ({ a: port, b: port, close: async () => undefined })

leasesConform(shared(open.leases))
busConforms(shared(open.bus))
membersConform(shared(open.members))
cacheConforms(shared(open.cache))
marksConform(shared(open.marks))
bucketsConform(shared(open.buckets))
