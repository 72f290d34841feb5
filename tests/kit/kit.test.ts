import { createServer } from 'node:net'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from './free-port.ts'
import { Program } from './program.ts'
import { makeDir, removeDir, tempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

describe('the test kit', () => {
  it('finds a port that can be listened on', async () => {
    const port = await freePort()
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
  })

  it('removes a folder with what is in it', () => {
    const folder = makeDir()
    writeFileSync(join(folder, 'file'), 'text')
    removeDir(folder)
    expect(existsSync(folder)).toBe(false)
    expect(existsSync(tempDir())).toBe(true)
  })

  it('waits for an answer, and takes an error for "not yet"', async () => {
    let looks = 0
    const look = (): number | undefined => {
      looks += 1
      if (looks === 1) throw new Error('not yet')
      return looks > 2 ? looks : undefined
    }
    expect(await waitFor(look, { everyMs: 1 })).toBe(3)
  })

  it('says what did not come, and why', async () => {
    const never = waitFor(() => Promise.reject(new Error('closed')), { what: 'the door', timeoutMs: 5, everyMs: 1 })
    await expect(never).rejects.toThrow('the door did not come within 5 ms')
    await expect(never).rejects.toHaveProperty('cause.message', 'closed')
  })

  it('runs a program, hears it, stops it and kills it', async () => {
    const start = async (): Promise<Program> => {
      const program = new Program({ file: 'tests/kit/echo.fixture.ts', env: { TICKWHEEL_PORT: '7' } })
      await program.printed(/standing with 7/)
      return program
    }
    expect(await (await start()).stop()).toEqual({ code: 3, signal: null })
    expect(await (await start()).kill()).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('tells what a program printed that ended too early', async () => {
    const program = new Program({ file: 'tests/kit/nowhere.ts' })
    await expect(program.printed(/ready/)).rejects.toThrow(/Cannot find module/)
  })
})
