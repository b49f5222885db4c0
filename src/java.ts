/** The Java that programs of the JVM are started with. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** What Kafka's broker and Spark need at least. */
const LEAST_JAVA = 17

/** Of $JAVA_HOME where that is set. */
export function javaCommand(env: NodeJS.ProcessEnv = process.env): string {
  return env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java'
}

/** Why there is no Java that will do; undefined where there is one. */
export function javaLacking(who: string): string | undefined {
  const { status, stdout, stderr } = spawnSync(javaCommand(), ['-version'], { encoding: 'utf8' })
  const found = status === 0 ? /version "(\d+)/.exec(`${stdout}${stderr}`)?.[1] : undefined
  if (Number(found ?? 0) >= LEAST_JAVA) return undefined
  const where = process.env.JAVA_HOME ? ` where JAVA_HOME says, ${javaCommand()}` : ''
  const what = found === undefined ? `there is no Java${where}` : `Java ${found} is too old${where}`
  return `${what}, ${who} needs ${LEAST_JAVA}: apt-get install openjdk-17-jre-headless`
}
