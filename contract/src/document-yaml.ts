import { Document, isCollection, isSeq, visit, type Scalar } from 'yaml'
import { DOCUMENT_FORM } from './constants.ts'
import type { TickwheelDocument } from './documents.ts'
import { chooseLines, workflowToYaml } from './workflow-yaml.ts'

/**
 * A document as YAML that `readYaml` reads back to the same, a thing at a time, so that whoever writes a large one can take a breath in between. Fields stand as they
 * are given; `heading` becomes a comment.
 */
export function* documentToYaml(
  { groups = [], calendars = [], tasks = [], workflows = [] }: TickwheelDocument,
  heading = '',
): Generator<string> {
  if (heading !== '') yield `${heading.replaceAll(/^/gm, '# ')}\n`
  yield `tickwheel: ${DOCUMENT_FORM}\n`
  yield* listed('groups', groups, thingToYaml)
  yield* listed('calendars', calendars, thingToYaml)
  yield* listed('tasks', tasks, thingToYaml)
  yield* listed('workflows', workflows, workflowToYaml)
}

function* listed<Thing>(name: string, things: readonly Thing[], write: (thing: Thing) => string): Generator<string> {
  if (things.length === 0) return
  yield `\n${name}:\n`
  for (const thing of things) yield entryOf(write(thing))
}

/** A map as an entry of a list: every line four further in, but for those that are empty, which may stand in a text. */
function entryOf(yaml: string): string {
  return `  - ${yaml.replaceAll(/\n(?=[^\n])/g, '\n    ')}`
}

const ON_ONE_LINE: ReadonlySet<string> = new Set([
  'schedule',
  'overlap',
  'misfire',
  'retry',
  'tags',
  'labels',
  'sharding',
  'expectStatus',
  'weekend',
])

/** Lists of small things, of which each has a line. */
const LINE_EACH: ReadonlySet<string> = new Set(['days', 'blackouts'])

function thingToYaml(thing: object): string {
  const made = new Document(thing, { aliasDuplicateObjects: false, version: '1.2' })
  visit(made, {
    Scalar: (key, scalar: Scalar) => chooseLines(key, scalar),
    Pair: (_, { key, value }) => {
      if (isCollection(value) && ON_ONE_LINE.has(String(key))) value.flow = true
      if (isSeq(value) && LINE_EACH.has(String(key))) for (const entry of value.items) if (isCollection(entry)) entry.flow = true
    },
  })
  return made.toString({ lineWidth: 0, flowCollectionPadding: true })
}
