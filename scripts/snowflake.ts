/** An emulator of Snowflake for trying lpa, until Ctrl-C: the one of the tests, with an empty database. */

import { join } from 'node:path'
import { EmulatorDatabase } from '../test/services/snowflake/database.ts'
import { Emulator } from '../test/services/snowflake/emulator.ts'
import { NoSnowflake } from './snowflake-python.ts'

const stopped = Promise.withResolvers<void>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.resolve())

try {
  await using emulator = await Emulator.start()
  const database = await EmulatorDatabase.create(emulator.address)
  const { host, port } = emulator.address
  console.log(`The emulator answers at ${host}:${port} until Ctrl-C. Its database is ${database.name}: connection = "lpa" in
lpa.toml, for programs with
  export SNOWFLAKE_HOME=${database.connectionsToml(join(emulator.folder, 'home'), 'lpa')}
  curl 'http://${host}:${port}/__statements?database=${database.name}'   # what they sent`)
  await stopped.promise
} catch (error) {
  const { message } = error as Error
  console.error(error instanceof NoSnowflake ? `No Snowflake: ${message}.` : message)
  process.exitCode = 69
}
