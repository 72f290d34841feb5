import { beforeEach, inject } from 'vitest'

// Without a MariaDB on this machine nothing of the project can run; with REQUIRE_ALL_TESTS=1 a skipped test counts as failed.
beforeEach((context) => {
  if (inject('mariaDbUrl') === null) context.skip('there is no MariaDB on this machine')
})
