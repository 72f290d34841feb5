import { expect, it } from 'vitest'
import { renderInitSql } from './init-sql.ts'

it('sql/init.sql is what the migrations make (run scripts/make-init-sql.ts after a change)', async () => {
  await expect(renderInitSql()).toMatchFileSnapshot('../../../sql/init.sql')
})
