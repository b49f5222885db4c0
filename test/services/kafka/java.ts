/** Kafka's Java programs, with the jars that scripts/kafka-jars.ts fetched. */

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { kafkaJars } from '../../../scripts/kafka-jars.ts'
import { javaCommand } from '../../../src/java.ts'

const LOGGING = fileURLToPath(new URL('log4j2.properties', import.meta.url))

/** What starts soonest on few cores: a broker in 2 s instead of 6, and half a million messages are read no slower. */
const SMALL = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

/** Arguments of `java` for a program; `log` is the least level that goes to its standard error. */
export async function javaArguments(
  program: string,
  args: readonly string[],
  { heapMb = 128, log = 'warn' } = {},
): Promise<string[]> {
  const jvm = [`-Xmx${heapMb}m`, ...SMALL, `-Dlog4j2.configurationFile=${LOGGING}`, `-Dlpa.log=${log}`]
  return [...jvm, '-cp', await kafkaJars(), program, ...args]
}

/** Runs a program to its end with `input`; answers its standard output, or fails with what it said. */
export async function java(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(javaCommand(), await javaArguments(program, args))
  // A program that ends early does not read all; its exit says why.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  if (status === 0) return stdout
  throw new Error(`${program} ${args.join(' ')}: exit ${status}\n${stderr}${stdout}`)
}
