/** Random choices that can be made again: every round has a seed, and says how to replay it. */

import { Random } from '../../src/pipeline/sample/random.ts'

const STREAM = 9000

/** `count` seeds: other ones in each run, or those from LPA_FAULTS_SEED on. */
export function seeds(count: number): number[] {
  const given = process.env.LPA_FAULTS_SEED
  const first = given ? Number(given) : Math.floor(Math.random() * 1e6)
  return Array.from({ length: count }, (_, index) => first + index)
}

export function randomOf(seed: number): Random {
  return new Random(seed, STREAM)
}

/** A number from 0 to 1. */
export function share(random: Random): number {
  return random.next() / 4294967296
}

/** The same items in a random order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items]
  for (let index = mixed.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1)
    ;[mixed[index], mixed[other]] = [mixed[other] as T, mixed[index] as T]
  }
  return mixed
}

/** Says what a failed round was, and how to see it again. */
export async function replayable<T>(
  file: string,
  name: string,
  seed: number,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const size = process.env.LPA_FAULTS ? `LPA_FAULTS=${process.env.LPA_FAULTS} ` : ''
    const command = `${size}LPA_FAULTS_SEED=${seed} npm test -- ${file} -t '${name}'`
    if (error instanceof Error) error.message = `${error.message}\n\nSeed ${seed}. To replay it: ${command}`
    throw error
  }
}
