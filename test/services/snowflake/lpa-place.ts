/**
 * A folder of lpa whose profile `prod` is a database of Snowflake, and whose default is the embedded engine: the same
 * commands and the same key for both. The database is one of the emulator; with `LPA_SNOWFLAKE_LIVE=<connection>` it is one
 * of a real account, by that connection of Snowflake's own files, made for the tests of one file and dropped after them.
 */

import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, inject, type TestContext, test } from 'vitest'
import { type Config, loadConfig } from '../../../src/config.ts'
import { prefixOf } from '../../../src/engines/snowflake/connection-checks.ts'
import { findConnection } from '../../../src/engines/snowflake/connections.ts'
import { connect } from '../../../src/engines/snowflake/driver.ts'
import { type Answered, Session } from '../../../src/engines/snowflake/session.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import { createKey } from '../../../src/pseudonym.ts'
import type { Engine } from '../../../src/types.ts'
import {
  lpaOk,
  newPlace,
  type Place,
  type Ran,
  type Running,
  removePlace,
  type StartOptions,
  startLpa,
} from '../../faults/lpa.ts'
import { EmulatorDatabase } from './database.ts'

type Environment = Readonly<Record<string, string>>

const LIVE = process.env.LPA_SNOWFLAKE_LIVE || undefined

export class LpaPlace implements AsyncDisposable {
  /** lpa.toml, the key, and what tests write. */
  readonly folder: Place
  /** Whom to ask for faults and for the log: undefined on a real account. */
  readonly database: EmulatorDatabase | undefined
  readonly #databaseName: string
  readonly #env: Environment
  #byHand: Session | undefined

  private constructor(folder: Place, database: EmulatorDatabase | undefined, name: string, env: Environment) {
    this.folder = folder
    this.database = database
    this.#databaseName = name
    this.#env = env
    // Of this test file's own process, for what asks the engine without a command.
    Object.assign(process.env, env)
  }

  /** With an empty database. `settings` are lines of lpa.toml for both engines. */
  static async create(settings = ''): Promise<LpaPlace> {
    const folder = newPlace('snowflake')
    const connection = LIVE ?? 'default'
    writeFileSync(
      join(folder.root, 'lpa.toml'),
      `${settings}\n[profiles.prod.warehouse]\nengine = "snowflake"\nconnection = ${JSON.stringify(connection)}\npath = "prod"\n`,
    )
    createKey(join(folder.root, 'pseudonym.key'))
    if (LIVE === undefined) {
      const address = inject('snowflake')
      if ('missing' in address) throw new Error(address.missing)
      const database = await EmulatorDatabase.create(address)
      const home = database.connectionsToml(join(folder.root, 'snowflake'))
      return new LpaPlace(folder, database, database.name, { SNOWFLAKE_HOME: home })
    }
    const name = `LPA_TEST_${randomBytes(6).toString('hex').toUpperCase()}`
    const [, prefix = ''] = prefixOf(connection)
    const place = new LpaPlace(folder, undefined, name, {
      ...accountEnvironment(),
      [`${prefix}DATABASE`]: name,
    })
    await place.sql(`create database ${name} data_retention_time_in_days = 1`)
    await place.#leave()
    return place
  }

  /** lpa with the profile of Snowflake. */
  start(args: readonly string[], options: StartOptions = {}): Running {
    const { child, ended } = startLpa(this.folder, args, this.#onSnowflake(options))
    return { child, ended: ended.then((ran) => this.#withoutSecrets(args, ran)) }
  }

  lpa(args: readonly string[], options: StartOptions = {}): Promise<Ran> {
    return this.start(args, options).ended
  }

  async lpaOk(args: readonly string[], options: StartOptions = {}): Promise<Ran> {
    const ran = await this.lpa(args, options)
    if (ran.code === 0) return ran
    throw new Error(`lpa ${args.join(' ')} ended with ${ran.code ?? ran.signal}:\n${ran.stderr}${ran.stdout}`)
  }

  /** What a command prints with --json. */
  async json<T = Readonly<Record<string, unknown>>>(args: readonly string[]): Promise<T> {
    return JSON.parse((await this.lpaOk([...args, '--json', '--quiet'])).stdout)
  }

  /** lpa with the embedded engine, in the same folder. */
  embedded(args: readonly string[], options: StartOptions = {}): Promise<Ran> {
    return lpaOk(this.folder, args, options)
  }

  write(name: string, content: string | Buffer, mode = 0o600): string {
    const path = join(this.folder.root, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content, { mode })
    return name
  }

  config(profile: 'prod' | undefined = 'prod'): Config {
    const { LPA_EXTENSIONS } = process.env
    return loadConfig({ cwd: this.folder.root, env: { LPA_EXTENSIONS }, flags: { profile } })
  }

  /** Asks the engine itself, without a command. */
  engine<T>(work: (engine: Engine) => Promise<T>, profile: 'prod' | undefined = 'prod'): Promise<T> {
    return withWarehouse(this.config(profile), 'read', new AbortController().signal, work)
  }

  /** One statement by hand, as somebody else who works in the database would send it; all of them in one session. */
  async sql(statement: string): Promise<Answered> {
    this.#byHand ??= await this.session()
    return this.#byHand.run(statement)
  }

  /** Another session of somebody else. */
  async session(): Promise<Session> {
    const found = findConnection({ name: LIVE ?? 'default', env: { ...process.env, ...this.#env } })
    return new Session(await connect(found, { signal: new AbortController().signal }))
  }

  /** The first cell of what a statement by hand answers. */
  async value(statement: string): Promise<unknown> {
    return (await this.sql(statement)).rows[0]?.[0]
  }

  /** The emulator's side of the database; on a real account the test ends here, skipped. */
  emulated(context: TestContext): EmulatorDatabase {
    return (
      this.database ?? context.skip('a real account takes no orders: faults and the log are the emulator’s')
    )
  }

  /** As Snowflake does, some time after, with the sessions of clients that are gone; with all others too. */
  async endSessions(): Promise<void> {
    await this.#leave()
    await this.database?.endSessions()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (LIVE !== undefined) await this.sql(`drop database if exists ${this.#databaseName}`)
    await this.#leave()
    if (!process.env.LPA_FAULTS_KEEP) removePlace(this.folder)
  }

  async #leave(): Promise<void> {
    await this.#byHand?.close()
    this.#byHand = undefined
  }

  /** Of no run of any test. */
  #withoutSecrets(args: readonly string[], ran: Ran): Ran {
    const { password = '', privateKey = '' } = this.database?.address ?? {}
    for (const secret of [password, privateKey.split('\n')[1] ?? ''])
      if (secret !== '' && `${ran.stdout}${ran.stderr}`.includes(secret))
        throw new Error(`lpa ${args.join(' ')} printed the secret of the connection.`)
    return ran
  }

  #onSnowflake({ env, ...options }: StartOptions): StartOptions {
    return { ...options, env: { ...this.#env, LPA_PROFILE: 'prod', ...env } }
  }
}

/** What a connection of the user's own may need: home, SNOWFLAKE_*, proxies, certificates. Nothing that configures lpa. */
function accountEnvironment(): Environment {
  const own = Object.entries(process.env).filter(([name]) => !/^(LPA_|VITEST|NODE_ENV$|TMPDIR$)/.test(name))
  return {
    ...Object.fromEntries(own.flatMap(([name, value]) => (value ? [[name, value]] : []))),
    HOME: homedir(),
  }
}

/** Tests of lpa on Snowflake: skipped with the reason where there is neither the emulator nor an account. */
export function describeLpaOnSnowflake(name: string, tests: () => void): void {
  const snowflake = inject('snowflake')
  describe(name, () => {
    if (LIVE === undefined && 'missing' in snowflake)
      test('needs Snowflake', (context) => context.skip(snowflake.missing))
    else tests()
  })
}
