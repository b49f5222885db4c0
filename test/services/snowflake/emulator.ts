/** The emulator of Snowflake: a process on a free loopback port, its files in a temporary folder. */

import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { snowflakePython } from '../../../scripts/snowflake-python.ts'
import type { EmulatorAddress } from './database.ts'

const PROGRAM = fileURLToPath(new URL('emulator', import.meta.url))
const START_LIMIT_MS = 90_000
const SIGN_IN = { account: 'lpa', user: 'LPA_TESTER', password: 'of the tests' }
const PEM = { type: 'pkcs8', format: 'pem' } as const

export class Emulator implements AsyncDisposable {
  /** Its log, and the files of its stages. */
  readonly folder: string
  readonly #process: Running
  readonly address: EmulatorAddress

  private constructor(folder: string, process: Running, address: EmulatorAddress) {
    this.folder = folder
    this.#process = process
    this.address = address
  }

  /**
   * An emulator that answers, 2 s after the call or later.
   * @throws NoSnowflake when Python or its packages are missing; Error with the end of its log when it does not start
   */
  static async start(): Promise<Emulator> {
    const python = await snowflakePython()
    const folder = mkdtempSync(join(tmpdir(), 'lpa-snowflake-'))
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const process = run(python, folder, publicKey.export({ type: 'spki', format: 'pem' }))
    try {
      const at = { host: '127.0.0.1', port: await portOf(process) }
      return new Emulator(folder, process, {
        ...at,
        ...SIGN_IN,
        privateKey: privateKey.export(PEM).toString(),
      })
    } catch (error) {
      await process.end()
      const log = readFileSync(logOf(folder), 'utf8').trimEnd().split('\n').slice(-20).join('\n')
      rmSync(folder, { recursive: true, force: true })
      throw new Error(`The Snowflake emulator did not start:\n${log}`, { cause: error })
    }
  }

  get pid(): number | undefined {
    return this.#process.child.pid
  }

  /** Ends it, and removes its files. What is in its databases is gone. */
  async stop(): Promise<void> {
    await this.#process.end()
    rmSync(this.folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

interface Running {
  readonly child: ChildProcess
  readonly stdout: Readable
  end(): Promise<void>
}

const logOf = (folder: string) => join(folder, 'emulator.log')

/** It ends itself, and removes `folder`, when its standard input ends: also after kill -9 of this process. */
function run(python: string, folder: string, publicKey: string | Buffer): Running {
  const log = openSync(logOf(folder), 'a')
  const args = ['-B', '-W', 'ignore', PROGRAM, folder]
  // A group of its own: Ctrl-C is for the one who started it, who then stops it.
  const child = spawn(python, args, {
    stdio: ['pipe', 'pipe', log],
    // Stages are folders there.
    env: { ...process.env, TMPDIR: folder, PYTHONPATH: '' },
    detached: true,
  }) as ChildProcess & { readonly stdin: Writable; readonly stdout: Readable }
  closeSync(log)
  // One that ended early says why in its log.
  child.stdin.on('error', () => {})
  const { account, user: name, password } = SIGN_IN
  child.stdin.write(`${JSON.stringify({ account, name, password, public_key: publicKey.toString() })}\n`)
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const end = () => {
    child.kill('SIGKILL')
    return ended
  }
  return { child, stdout: child.stdout, end }
}

/** From the line that it writes when it answers. */
async function portOf({ child, stdout }: Running): Promise<number> {
  const limit = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS)
  try {
    for await (const line of createInterface({ input: stdout })) return JSON.parse(line).port
    throw new Error('it ended')
  } finally {
    clearTimeout(limit)
  }
}
