/**
 * Seeds that failed once, with what they showed. They are played first. A seed's scene changes with the simulation, so what each showed has a test of its
 * own beside the code that was mended, or is planted in `plants.test.ts`; here it only stands for the weather in which it was seen.
 */
export const SEEDS_THAT_FAILED: Readonly<Record<number, string>> = {
  3: 'a killed node that was started again at once kept its slots from being taken for seven seconds',
  43: 'an executor that stood still while another took its name (it was the check that was wrong)',
  73: 'an instant of an older span was fired while the newest span was a fixedDelay: the instants after it were lost',
  84: 'without Redis a node with no share of a small executor never dispatched',
  145: 'a run was dispatched beside one of its task that was just being fired',
  1017: 'the same as 73, and an instant fired that was not due',
  1118: 'without Redis an even share of one place left a node without any',
  2590: 'two looks at once at the start: a slot was decided for without its open runs',
  5634: 'the same as 2590: a waiting run was in no memory',
  5642: 'the clock of the database jumped forward: executors were lost at once, and a run ran twice at the same time',
  7181: 'a link that was given up while another of the same executor joined: it was "not here" for ever',
  7379: 'the same as 7181',
  8089: 'an executor was superseded by its own late registration',
  8424: 'a fire of unknown outcome: the next one was decided from the old memory',
  8434: 'the same as 5642',
  8875: 'a session that was superseded while it joined was never told',
  20368: 'the same as 8875',
  12697: 'the clock of the database went back: a dead node looked alive',
  11553: 'a node that froze while it left was not up again when the calm ended (it was the check that was wrong)',
  10073:
    'runs split by their handler made what is open more for longer than the check waited for it to be less (it was the check that was wrong)',
  60112: 'the slow answer after a dispatch replaced what memory knew: a run that was refused meanwhile waited for ever',
  1114: 'the answer to a cancel overtook the end of its run, which stayed in memory and blocked its task',
}

/** The same for scenes of one node (`--nodes 1`). */
export const SEEDS_OF_ONE_NODE: Readonly<Record<number, string>> = {
  30087: 'an older answer of the same attempt replaced what memory knew: the run waited for ever',
}
