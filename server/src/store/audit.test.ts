import { describe, expect, it } from 'vitest'
import { changedFields } from './audit.ts'

describe('what an entry of the audit log holds', () => {
  it('is what was changed, and nothing else', () => {
    expect(changedFields({ name: 'a', tags: ['x'], notes: '' }, { name: 'b', tags: ['x'], notes: '' })).toEqual({
      before: { name: 'a' },
      after: { name: 'b' },
    })
  })

  it('has no state that is absent', () => {
    expect(changedFields(null, { name: 'b' })).toEqual({ after: { name: 'b' } })
    expect(changedFields({ name: 'a' }, null)).toEqual({ before: { name: 'a' } })
  })

  it('tells that a value of 8 KiB is another, not what it is', () => {
    const { after } = changedFields({ params: '' }, { params: 'x'.repeat(8191) })
    expect(after).toEqual({ params: { length: 8193, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } })
    expect(changedFields(null, { params: 'x'.repeat(8190) }).after).toEqual({ params: 'x'.repeat(8190) })
  })

  it.each<{ why: string; value: Readonly<Record<string, unknown>>; shown: unknown }>([
    { why: 'passwords and tokens', value: { password: 's3cret', xxlToken: 's3cret' }, shown: { password: '***', xxlToken: '***' } },
    { why: 'deeper ones', value: { smtp: { user: 'a', password: 's3cret' } }, shown: { smtp: { user: 'a', password: '***' } } },
    {
      why: 'headers',
      value: { handler: { headers: { Authorization: 's3cret', accept: '*' } } },
      shown: { handler: { headers: { Authorization: '***', accept: '*' } } },
    },
    { why: 'environment', value: { env: { DB_PASSWORD: 's3cret', MODE: 'fast' } }, shown: { env: { DB_PASSWORD: '***', MODE: 'fast' } } },
    {
      why: 'not the name of a secret',
      value: { env: { DB_PASSWORD: { secret: 'db' } } },
      shown: { env: { DB_PASSWORD: { secret: 'db' } } },
    },
    { why: 'the user of an address', value: { url: 'https://bob:s3cret@host/x' }, shown: { url: 'https://***@host/x' } },
    {
      why: 'parts of a query',
      value: { url: 'https://h/x?a=1&access_token=s3cret&b=2' },
      shown: { url: 'https://h/x?a=1&access_token=***&b=2' },
    },
    { why: 'nothing where there is none', value: { xxlToken: '', password: null }, shown: { xxlToken: '', password: null } },
    { why: 'in lists', value: { steps: [{ token: 's3cret' }] }, shown: { steps: [{ token: '***' }] } },
  ])('masks secrets: $why', ({ value, shown }) => {
    const { after } = changedFields(null, value)
    expect(after).toEqual(shown)
    expect(JSON.stringify(after)).not.toContain('s3cret')
  })
})
