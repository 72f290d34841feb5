import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { renderInitSql } from '../server/src/store/init-sql.ts'

// npx tsx scripts/make-init-sql.ts
writeFileSync(fileURLToPath(new URL('../sql/init.sql', import.meta.url)), renderInitSql())
