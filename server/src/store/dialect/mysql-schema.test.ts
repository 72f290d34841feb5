import { describe, expect, it } from 'vitest'
import { floorOfInstant } from '../ids.ts'
import { pastPartitions, renderMysql, splits, type Partition } from './mysql-schema.ts'
import { parseMysqlUrl } from './mysql-url.ts'
import { table } from './table.ts'

const runs = table('run', { id: 'big', name: 'name?', body: 'blob' }, ['id'], {
  indexes: [['name', 'id']],
  partition: { by: 'id', range: 'id' },
})
const firings = table('firing', { due_at: 'big' }, ['due_at'], { partition: { by: 'due_at', range: 'instant' } })
const NOVEMBER = Date.UTC(2026, 10, 22)
const later = (name: string): Partition => ({ table: name, name: 'later', below: null })

describe('tables on MySQL', () => {
  it('are partitioned, and their text does not depend on the day', () => {
    expect(renderMysql(runs)).toEqual([
      'CREATE TABLE IF NOT EXISTS `run` (\n  `id` BIGINT NOT NULL,\n  `name` VARCHAR(255),\n  `body` LONGBLOB NOT NULL,\n  PRIMARY KEY (`id`),\n  KEY `run_name_id` (`name`, `id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin\nPARTITION BY RANGE (`id`) (PARTITION `later` VALUES LESS THAN MAXVALUE)',
    ])
  })

  it('get the months up to three ahead, and only those that they lack', () => {
    const [first] = splits([firings], [later('firing')], NOVEMBER)
    const bounds = [Date.UTC(2026, 11), Date.UTC(2027, 0), Date.UTC(2027, 1), Date.UTC(2027, 2)]
    expect([...(first ?? '').matchAll(/`(m\d+_\d+)` VALUES LESS THAN \((\d+)\)/g)].map((found) => [found[1], Number(found[2])])).toEqual([
      ['m2026_11', bounds[0]],
      ['m2026_12', bounds[1]],
      ['m2027_01', bounds[2]],
      ['m2027_02', bounds[3]],
    ])
    const made = [...bounds.map((below, index) => ({ table: 'firing', name: `m${index}`, below })), later('firing')]
    expect(splits([firings], made, NOVEMBER)).toEqual([])
    expect(splits([firings], made, Date.UTC(2026, 11, 2))[0]).toMatch(
      /INTO \(PARTITION `m2027_03` VALUES LESS THAN \(\d+\), PARTITION `later`/,
    )
    expect(splits([runs], [later('run')], NOVEMBER)[0]).toContain(`\`m2026_11\` VALUES LESS THAN (${floorOfInstant(Date.UTC(2026, 11))})`)
  })

  it('may lose the months that are over', () => {
    const partitions = [
      { table: 'firing', name: 'm2026_10', below: Date.UTC(2026, 10) },
      { table: 'firing', name: 'm2026_11', below: Date.UTC(2026, 11) },
      later('firing'),
    ]
    expect(pastPartitions([firings], partitions, NOVEMBER).map((partition) => partition.name)).toEqual(['m2026_10'])
  })
})

describe('the URL of a database', () => {
  it('names host, port, account and database', () => {
    expect(parseMysqlUrl('mysql://me:p%40ss%2F@db.local:3307/jobs')).toEqual({
      host: 'db.local',
      port: 3307,
      user: 'me',
      password: 'p@ss/',
      database: 'jobs',
    })
    expect(parseMysqlUrl('mariadb://me@[::1]/jobs')).toEqual({ host: '::1', port: 3306, user: 'me', password: '', database: 'jobs' })
  })

  it.each(['mysql://h/d', 'mysql://u:p@h', 'mysql://u:p@h/', 'mysql://u:p@h/a/b', 'mysql:', 'http://u:p@h/d'])(
    'is refused without repeating it: %s',
    (url) => {
      expect(() => parseMysqlUrl(url)).toThrow(/^not of the form/)
    },
  )
})
