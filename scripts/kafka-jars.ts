/** Apache Kafka's jars for the tests and `npm run kafka`: fetched once for this user, by Maven from Maven Central. */

import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from '../src/cache-folder.ts'

const POM = fileURLToPath(new URL('../test/services/kafka/pom.xml', import.meta.url))
const LEAST_JAVA = 17
const FETCH_LIMIT_MS = 300_000

/** The machine has no Kafka, and why: tests are skipped for this reason, they do not fail. */
export class NoKafka extends Error {}

/**
 * The class path of Kafka's jars, fetched when they are not in the cache (some seconds to half a minute). Several
 * processes may call it at once.
 * @throws NoKafka without Java 17, openssl (for the broker's certificates), or Maven when there is something to fetch
 */
export async function kafkaJars(): Promise<string> {
  checkJava()
  if (run('openssl', ['version']) === undefined) throw new NoKafka('there is no openssl')
  const folder = jarsFolder()
  if (!existsSync(folder)) await fetchInto(folder)
  return join(folder, '*')
}

function checkJava(): void {
  if (process.platform === 'win32') throw new NoKafka('the broker for tests runs on Linux and macOS only')
  const said = run('java', ['-version'])
  const found = said?.match(/version "(\d+)/)?.[1]
  if (Number(found ?? 0) >= LEAST_JAVA) return
  const what = found === undefined ? 'there is no Java' : `Java ${found} is too old`
  throw new NoKafka(`${what}, Kafka needs ${LEAST_JAVA}: apt-get install openjdk-17-jre-headless`)
}

/** All that a command says, or undefined when it does not run. */
function run(command: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? `${stdout}${stderr}` : undefined
}

/** Beside DuckDB's extensions; named for the pom, so that a changed one fetches again. */
function jarsFolder(): string {
  const versions = [...readFileSync(POM, 'utf8').matchAll(/ersion>([\d.]+\d)</g)].map((match) => match[1])
  return cacheFolder('kafka', `v${versions.slice(1).join('-')}`)
}

/** The jars get their place all at once: a fetch that ends early leaves no folder that looks finished. */
async function fetchInto(folder: string): Promise<void> {
  if (run('mvn', ['-v']) === undefined)
    throw new NoKafka('there is no Maven to fetch Kafka with: apt-get install maven')
  mkdirSync(dirname(folder), { recursive: true })
  const temporary = mkdtempSync(join(dirname(folder), '.new-'))
  const fetch = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${temporary}`]
  try {
    await promisify(execFile)('mvn', ['-q', '-B', '-f', POM, ...fetch], { timeout: FETCH_LIMIT_MS })
    if (!existsSync(folder)) renameSync(temporary, folder)
  } catch (error) {
    // Another process was first.
    if (existsSync(folder)) return
    throw new NoKafka(`Kafka could not be fetched: ${reason(error)}`)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Maven tells its errors on standard output, the first of them is the reason. */
function reason(error: unknown): string {
  const { killed, stdout, message } = error as { killed?: boolean; stdout?: string; message: string }
  if (killed) return `no answer in ${FETCH_LIMIT_MS / 1000} s`
  return /\[ERROR\] +(\S.*)/.exec(stdout ?? '')?.[1] ?? message
}
