import { beforeEach, inject } from 'vitest'

// Without a Redis on this machine nothing of the project can run; with REQUIRE_ALL_TESTS=1 a skipped test counts as failed.
beforeEach((context) => {
  if (inject('redisUrl') === null) context.skip('there is no Redis on this machine')
})
