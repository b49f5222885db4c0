/** Apache Kafka's jars for the tests and `npm run kafka`: fetched once for this user, by Maven from Maven Central. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../src/cache-folder.ts'
import { javaLacking } from '../src/java.ts'
import { copyJars, fetchInto } from './fetched.ts'

const POM = fileURLToPath(new URL('../test/services/kafka/pom.xml', import.meta.url))
const FETCH_LIMIT_MS = 300_000

/** The machine has no Kafka, and why: tests are skipped for this reason, they do not fail. */
export class NoKafka extends Error {}

/**
 * The class path of Kafka's jars, fetched when they are not in the cache (some seconds to half a minute). Several
 * processes may call it at once.
 * @throws NoKafka without Java 17, openssl (for the broker's certificates), or Maven when there is something to fetch
 */
export async function kafkaJars(): Promise<string> {
  if (process.platform === 'win32') throw new NoKafka('the broker for tests runs on Linux and macOS only')
  const lacking = javaLacking('Kafka')
  if (lacking) throw new NoKafka(lacking)
  if (!runs('openssl', ['version'])) throw new NoKafka('there is no openssl')
  const folder = jarsFolder()
  if (!existsSync(folder)) await fetchKafka(folder)
  return join(folder, '*')
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0
}

/** Beside DuckDB's extensions; named for the pom, so that a changed one fetches again. */
function jarsFolder(): string {
  const versions = [...readFileSync(POM, 'utf8').matchAll(/ersion>([\d.]+\d)</g)].map((match) => match[1])
  return cacheFolder('kafka', `v${versions.slice(1).join('-')}`)
}

async function fetchKafka(folder: string): Promise<void> {
  if (!runs('mvn', ['-v'])) throw new NoKafka('there is no Maven to fetch Kafka with: apt-get install maven')
  try {
    await fetchInto(folder, (temporary) => copyJars(POM, temporary, FETCH_LIMIT_MS))
  } catch (error) {
    throw new NoKafka(`Kafka could not be fetched: ${(error as Error).message}`)
  }
}
