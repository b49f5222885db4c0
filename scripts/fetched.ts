/** Folders of what is fetched once for this user, and the tools that fetch it. */

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Gives a folder its content all at once: a fetch that ends early leaves no folder that looks finished. Several processes
 * may do it at once.
 */
export async function fetchInto(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return
  mkdirSync(dirname(folder), { recursive: true })
  const temporary = mkdtempSync(join(dirname(folder), '.new-'))
  try {
    await fill(temporary)
    if (!existsSync(folder)) renameSync(temporary, folder)
  } catch (error) {
    // Another process was first.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Copies the jars that a pom names into a folder, by Maven from Maven Central. */
export async function copyJars(
  pom: string,
  folder: string,
  limitMs: number,
  more: readonly string[] = [],
): Promise<void> {
  const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`]
  await runTool('mvn', ['-q', '-B', '-f', pom, ...copy, ...more], limitMs)
}

export async function runTool(command: string, args: readonly string[], limitMs: number): Promise<void> {
  try {
    await promisify(execFile)(command, args, { timeout: limitMs })
  } catch (error) {
    throw new Error(reason(error as ExecError, limitMs), { cause: error })
  }
}

interface ExecError extends Error {
  readonly killed?: boolean
  readonly stdout?: string
  readonly stderr?: string
}

/** Maven tells its errors on standard output, pip on standard error; the first of them is the reason. */
function reason({ killed, stdout, stderr, message }: ExecError, limitMs: number): string {
  if (killed) return `no answer in ${limitMs / 1000} s`
  return /\[?ERROR\]?:? +(\S.*)/.exec(`${stdout ?? ''}\n${stderr ?? ''}`)?.[1] ?? message
}
