/** Spark beside a warehouse: which server, by which token, over which files. */

import { readCaFile } from '../ca-file.ts'
import type { Config } from '../config.ts'
import { isLoopback, parseAddress, refuseClear } from '../engines/spark/address.ts'
import type { SparkLines } from '../engines/spark/lines.ts'
import { addressOf, findLocalServer } from '../engines/spark/local-server.ts'
import type { SparkReader } from '../engines/spark/reader.ts'
import type { SessionOptions, SparkSession } from '../engines/spark/session.ts'
import type { SparkTablesOptions } from '../engines/spark/tables.ts'
import { UserError } from '../errors.ts'
import { readPrivate } from '../private-file.ts'
import type { Engine, ModelRunner } from '../types.ts'
import { readDeclared } from './declared.ts'

/**
 * A session of Spark that runs models for a warehouse that is open.
 * @throws UserError unavailable (69), notPermitted (77) and config (78) for what is wrong with server, token and address
 */
export async function openSparkRunner(
  config: Config,
  engine: Engine,
  signal: AbortSignal,
): Promise<ModelRunner & AsyncDisposable> {
  const options = optionsOf(config, engine, signal)
  const { openSparkModels } = await import('../engines/spark/models.ts')
  return openSparkModels(options)
}

/**
 * The same for reports and a user's SQL, as the owner or as a role: all of them are answered of one state of the warehouse.
 * @throws UserError usage (2) for a warehouse whose tables are no files
 */
export async function withSparkReports<T>(
  config: Config,
  engine: Engine,
  signal: AbortSignal,
  use: (reader: SparkReader) => Promise<T>,
  role?: string,
): Promise<T> {
  if (!engine.can.files) throw noFiles()
  const options = optionsOf(config, engine, signal)
  const views =
    role === undefined ? undefined : await (await import('./role.ts')).readAsOnSpark(config, engine, role)
  const { openSparkReader } = await import('../engines/spark/reader.ts')
  return engine.oneState(async () => {
    await using reader = await openSparkReader({ ...options, role: views })
    return await use(reader)
  })
}

/** The same for the lines of files that are loaded, into any warehouse. */
export async function openSparkLoad(config: Config, signal: AbortSignal): Promise<SparkLines> {
  const { openSparkLines } = await import('../engines/spark/lines.ts')
  return openSparkLines({ ...findServer(config), signal })
}

/**
 * A session by itself, for what reads no table but clear text, and brings the key.
 * @throws UserError notPermitted (77) where the key would leave this machine in the clear
 */
export async function openSparkSession(
  config: Config,
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<SparkSession> {
  const server = findServer(config)
  refuseClear(server.address, 'The pseudonym key')
  const { SparkSession } = await import('../engines/spark/session.ts')
  return SparkSession.open({ ...server, signal, readsClear: true }, settings)
}

function optionsOf(config: Config, engine: Engine, signal: AbortSignal): SparkTablesOptions {
  const { tables } = readDeclared('spark')
  return { ...findServer(config), engine, declared: tables, signal }
}

/** To copy tables for a question would take longer than to ask the warehouse. */
function noFiles(): UserError {
  return new UserError('LPA-SPARK-WAREHOUSE', 'This warehouse has no files that Spark could read.', {
    exit: 'usage',
    next: 'It answers by itself: leave --engine out.',
  })
}

function findServer({ spark }: Config): Omit<SessionOptions, 'signal'> {
  const local = findLocalServer()
  const token = spark.tokenFile
    ? readPrivate(spark.tokenFile, 'LPA-SPARK-TOKEN-FILE')
    : process.env.SPARK_CONNECT_AUTHENTICATE_TOKEN
  if (spark.address !== undefined) {
    const address = parseAddress(spark.address)
    const isLocal = local?.port === address.port && isLoopback(address)
    const ca = spark.caFile === undefined ? undefined : readCaFile(spark.caFile, 'LPA-SPARK-CA')
    return { address, token: token ?? (isLocal ? local?.token : undefined), ca }
  }
  if (local !== undefined) return { address: addressOf(local), token: local.token }
  throw new UserError('LPA-SPARK-NONE', 'No Spark is named, and none runs on this machine.', {
    exit: 'config',
    next: [
      'Start one here: lpa spark up',
      'Or name one: --address sc://HOST:15002 (or address under [spark] in lpa.toml)',
    ],
  })
}
