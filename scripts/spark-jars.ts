/**
 * Apache Spark for the tests, and for `lpa spark up` in a checkout: fetched once for this user, by pip from PyPI and by Maven
 * from Maven Central.
 *
 * usage: node scripts/spark-jars.ts
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedSpark, SPARK_VERSION } from '../src/engines/spark/home.ts'
import { javaLacking } from '../src/java.ts'
import { copyJars, fetchInto, runTool } from './fetched.ts'

const REQUIREMENTS = fileURLToPath(new URL('../test/services/spark/requirements.txt', import.meta.url))
const POM = fileURLToPath(new URL('../test/services/spark/pom.xml', import.meta.url))
/** 450 MB. */
const FETCH_LIMIT_MS = 900_000

/** The machine has no Spark, and why: tests are skipped for this reason, they do not fail. */
export class NoSpark extends Error {}

/**
 * The folder that has Spark's `jars`, fetched when it is not in the cache (half a minute to some). Several processes may
 * call it at once.
 * @throws NoSpark without Java 17, or without pip or Maven when there is something to fetch
 */
export async function sparkJars(): Promise<string> {
  if (process.platform === 'win32') throw new NoSpark('Spark for tests runs on Linux and macOS only')
  const lacking = javaLacking('Spark')
  if (lacking) throw new NoSpark(lacking)
  const folder = cachedSpark()
  if (!existsSync(folder)) await fetchSpark(folder)
  return folder
}

async function fetchSpark(folder: string): Promise<void> {
  if (!runs('python3', ['-m', 'pip', '--version']))
    throw new NoSpark('there is no pip to fetch Spark with: apt-get install python3-pip')
  if (!runs('mvn', ['-v']))
    throw new NoSpark('there is no Maven to fetch Spark’s jars for Kafka with: apt-get install maven')
  try {
    await fetchInto(folder, async (temporary) => {
      const [packed, jars] = [join(temporary, 'packed'), join(temporary, 'jars')]
      mkdirSync(jars)
      const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes']
      const download = ['-m', 'pip', 'download', ...options, '-r', REQUIREMENTS, '-d', packed]
      await runTool('python3', download, FETCH_LIMIT_MS)
      const [archive = ''] = readdirSync(packed)
      // Of all that pyspark is, the jars that a server needs.
      const only = ['--strip-components=3', '--exclude=*/connect-repl*', `pyspark-${SPARK_VERSION}/deps/jars`]
      await runTool('tar', ['-xzf', join(packed, archive), '-C', jars, ...only], FETCH_LIMIT_MS)
      rmSync(packed, { recursive: true })
      await copyJars(POM, jars, FETCH_LIMIT_MS, ['-DexcludeTransitive=true'])
    })
  } catch (error) {
    throw new NoSpark(`Spark could not be fetched: ${(error as Error).message}`)
  }
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await sparkJars())
  } catch (error) {
    if (!(error instanceof NoSpark)) throw error
    console.error(`No Spark: ${error.message}.`)
    process.exitCode = 69
  }
}
