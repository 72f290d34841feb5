import type { SecretRotation } from '@tickwheel/contract'
import type { Command } from 'commander'
import { Api, type Account } from './import/api.ts'

/** Steps of one rotation: 20,000 secrets and more. */
const STEPS = 1_000

/** `tickwheel secrets rotate`: seals with the present key what older keys have sealed. `done` is given the exit code: 1 while some cannot be opened. */
export function addSecretsCommand(program: Command, done: (code: number) => void): void {
  program
    .command('secrets')
    .description('secrets of tasks')
    .command('rotate')
    .description('seal every secret with the present secrets.key that an earlier key has sealed')
    .option('--server <url>', 'address of the server', process.env['TICKWHEEL_SERVER'] ?? 'http://127.0.0.1:8080')
    .option('--user <name>', 'account with the permission system:edit', 'admin')
    .option('--password <password>', 'its password, better given by TICKWHEEL_PASSWORD', process.env['TICKWHEEL_PASSWORD'] ?? '')
    .option('--token <token>', 'an access token in place of user and password', process.env['TICKWHEEL_TOKEN'] ?? '')
    .action(async (account: Account) => {
      done(await rotate(account, (line) => process.stdout.write(`${line}\n`)))
    })
}

async function rotate(account: Account, print: (line: string) => void): Promise<number> {
  const api = await Api.open(account)
  let resealed = 0
  for (let step = 0; step < STEPS; step += 1) {
    const rotated: SecretRotation = await api.rotateSecrets()
    resealed += rotated.resealed
    if (rotated.left > 0 && rotated.resealed > 0) continue
    print(`${String(resealed)} sealed values now have the present key.`)
    if (rotated.unknown > 0)
      print(
        `${String(rotated.unknown)} cannot be opened: put the key that sealed them into secrets.previousKeys, start the server again, and repeat this.`,
      )
    return rotated.unknown > 0 || rotated.left > 0 ? 1 : 0
  }
  return 1
}
