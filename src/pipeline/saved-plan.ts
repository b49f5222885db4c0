/** Plans that are saved to be looked at, and applied later: as they were saved, or not at all. */

import { readFileSync } from 'node:fs'
import { UserError } from '../errors.ts'

/** What is applied only while it is what the warehouse needs. */
export interface SavedPlan {
  readonly steps: readonly object[]
  /** `Engine.version()` when it was made. */
  readonly baseVersion: string
  /** Of the steps and of the live state they start from. */
  readonly hash: string
}

/** `schema` or `grant`: whose plan it is. */
export type PlanTopic = 'schema' | 'grant'

/**
 * A plan as `--out` wrote it.
 * @param parse undefined for what is no plan of the topic
 * @throws UserError LPA-…-PLAN: noInput (66) without the file, data (65) when it holds no plan.
 */
export function readSavedPlan<P extends SavedPlan>(
  file: string,
  topic: PlanTopic,
  parse: (value: Partial<P>) => P | undefined,
): P {
  const code = `LPA-${topic.toUpperCase()}-PLAN`
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    const next = `Make one: lpa ${topic} plan --out FILE`
    throw new UserError(code, `There is no plan ${file}.`, { exit: 'noInput', next, cause })
  }
  const plan = parsed(text, parse)
  if (plan) return plan
  throw new UserError(code, `${file} holds no ${topic} plan.`, {
    exit: 'data',
    where: file,
    next: `Make it again: lpa ${topic} plan --out FILE`,
  })
}

function parsed<P extends SavedPlan>(
  text: string,
  parse: (value: Partial<P>) => P | undefined,
): P | undefined {
  try {
    const value = JSON.parse(text)
    const isPlan = Array.isArray(value.steps) && typeof value.hash === 'string'
    return isPlan ? parse(value) : undefined
  } catch {
    return undefined
  }
}

/** @throws UserError LPA-…-STALE (findings) when the plan would be another one by now. */
export function refuseStale(now: SavedPlan, saved: SavedPlan | undefined, topic: PlanTopic): void {
  if (!saved) return
  // The steps too: who edited them in the file would see others run.
  const isSame = saved.hash === now.hash && JSON.stringify(saved.steps) === JSON.stringify(now.steps)
  if (isSame) return
  throw new UserError(
    `LPA-${topic.toUpperCase()}-STALE`,
    `The plan of version ${saved.baseVersion} is not what the warehouse needs now, at version ${now.baseVersion}. Nothing was changed.`,
    { exit: 'findings', next: `Make it again and look at it: lpa ${topic} plan --out FILE` },
  )
}

/** A statement under the line that says what it is for. */
export function indented(statement: string): string {
  return `${statement};`.replace(/^/gm, '    ')
}
