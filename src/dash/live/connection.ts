/** What is known of the warehouse and its answers, and in which state the dashboard is by that. */

import { isDeepStrictEqual } from 'node:util'
import type { Panel, Panels, ReportRequest } from '../screen.ts'
import { type FromEngine, keyOf } from './messages.ts'
import type { StoredResult } from './stored-results.ts'

export type Connection =
  /** Until the reports have come; with the version of what was stored, where that is shown meanwhile. */
  | { readonly kind: 'opening'; readonly version?: string | undefined }
  /** What is shown is what is there; since when. */
  | { readonly kind: 'live'; readonly version: string; readonly sinceMs: number }
  | { readonly kind: 'paused'; readonly version: string; readonly sinceMs: number }
  /** What is shown is older than what is there, or nobody could look for this long. */
  | { readonly kind: 'stale'; readonly version: string; readonly ageMs: number }
  | {
      readonly kind: 'disconnected'
      readonly version: string
      readonly ageMs: number
      readonly reason: string
    }

type Told = Extract<FromEngine, { kind: 'panel' }>

interface Answer {
  readonly panel: Panel
  readonly version: string
  /** Of an earlier session, or from before the warehouse was lost: nobody knows yet whether it is still so. */
  readonly isStored: boolean
}

/** Screens that were looked at before show their rows at once; the oldest are forgotten. */
const MOST_ANSWERS = 64
/** A refresh that takes less is not worth a word. */
const STALE_AFTER_MS = 2000
/** Somebody who looks every two seconds was held up. */
const LONG_UNSEEN_MS = 10_000

/** What a report answered in an earlier session, and at which version. */
export type Recall = (request: ReportRequest) => StoredResult | undefined

/** `now` is in milliseconds since 1970. */
export class Warehouse {
  readonly #recall: Recall
  readonly #answers = new Map<string, Answer>()
  #nextMs = 0
  #wanted: readonly ReportRequest[] = []
  #wantedAt = 0
  #newest: string | undefined
  #newestAt = 0
  #checkedAt = 0
  #shown: { readonly version: string; readonly since: number; readonly isWhole: boolean } | undefined
  #lost: { readonly since: number; readonly reason: string } | undefined
  #panels: Panels | undefined

  constructor(recall: Recall = () => undefined) {
    this.#recall = recall
  }

  /** Answers whether these are others than before. */
  want(requests: readonly ReportRequest[], now: number): boolean {
    const isSame =
      requests.length === this.#wanted.length &&
      requests.every((request, index) => keyOf(request) === keyOf(this.#wanted[index] as ReportRequest))
    if (isSame) return false
    this.#wanted = requests
    this.#wantedAt = now
    this.#panels = undefined
    for (const request of requests) {
      const key = keyOf(request)
      const stored = this.#answers.has(key) ? undefined : this.#recall(request)
      if (stored) this.#keep({ key, version: stored.version, panel: { result: stored.result } }, true)
    }
    this.#settle(now)
    return true
  }

  receive(message: Exclude<FromEngine, { kind: 'failed' }>, now: number): void {
    switch (message.kind) {
      case 'checked':
        this.#lost = undefined
        this.#checkedAt = now
        this.#nextMs = message.nextMs
        if (message.version !== this.#newest) {
          this.#newest = message.version
          this.#newestAt = now
        }
        break
      case 'panel':
        this.#keep(message)
        break
      case 'lost':
        // What comes back may be another one, with the same numbers.
        for (const [key, answer] of this.#answers) this.#answers.set(key, { ...answer, isStored: true })
        if (this.#shown) this.#shown = { ...this.#shown, isWhole: false }
        this.#lost ??= { since: now, reason: message.reason }
    }
    this.#settle(now)
  }

  /** At which version each of these was answered in this session, for those that need not be run again. */
  answeredAt(requests: readonly ReportRequest[]): readonly (string | undefined)[] {
    return requests.map((request) => {
      const answer = this.#answers.get(keyOf(request))
      return answer?.isStored ? undefined : answer?.version
    })
  }

  /** Reports of the shown screen that have come. The same map until one comes. */
  get panels(): Panels {
    this.#panels ??= new Map(
      this.#wanted.flatMap((request) => {
        const answer = this.#answers.get(keyOf(request))
        return answer === undefined ? [] : [[request.report, answer.panel] as const]
      }),
    )
    return this.#panels
  }

  state(now: number, isPaused: boolean): Connection {
    const shown = this.#shown
    if (this.#lost) {
      const { since, reason } = this.#lost
      return { kind: 'disconnected', version: shown?.version ?? '', ageMs: now - since, reason }
    }
    if (shown === undefined)
      return { kind: 'opening', version: this.#wantedAnswers().find(isStored)?.version }
    if (isPaused) return { kind: 'paused', version: shown.version, sinceMs: shown.since }
    const behindMs = shown.isWhole ? 0 : now - Math.max(this.#newestAt, this.#wantedAt)
    const unseenMs = now - this.#checkedAt
    if (behindMs > STALE_AFTER_MS) return { kind: 'stale', version: shown.version, ageMs: behindMs }
    if (unseenMs > Math.max(LONG_UNSEEN_MS, 3 * this.#nextMs))
      return { kind: 'stale', version: shown.version, ageMs: unseenMs }
    return { kind: 'live', version: shown.version, sinceMs: shown.since }
  }

  #keep({ key, version, panel }: Pick<Told, 'key' | 'version' | 'panel'>, isStored = false): void {
    const before = this.#answers.get(key)?.panel
    // The last rows stay beside a problem, unless it is that they may not be seen.
    const isDenied = panel.problem?.kind === 'denied'
    const after = { ...panel, result: panel.result ?? (isDenied ? undefined : before?.result) }
    // Rows that came again are no reason to draw.
    const isSame = isDeepStrictEqual(after, before)
    this.#answers.delete(key)
    this.#answers.set(key, { version, isStored, panel: isSame && before ? before : after })
    if (this.#answers.size > MOST_ANSWERS) this.#forgetOldest()
    if (!isSame) this.#panels = undefined
  }

  #forgetOldest(): void {
    const wanted = new Set(this.#wanted.map(keyOf))
    const oldest = [...this.#answers.keys()].find((key) => !wanted.has(key))
    if (oldest !== undefined) this.#answers.delete(oldest)
  }

  /** A version is shown once every report of the screen is of it, and an older one while any is, or may be. */
  #settle(now: number): void {
    const [newest, shown] = [this.#newest, this.#shown]
    if (newest === undefined) return
    const isOlder = (answer: Answer | undefined): answer is Answer =>
      answer !== undefined && (answer.isStored || answer.version !== newest)
    const answers = this.#wantedAnswers()
    if (answers.every((answer) => answer !== undefined && !isOlder(answer))) {
      const since = shown?.version === newest && shown.isWhole ? shown.since : now
      this.#shown = { version: newest, since, isWhole: true }
      return
    }
    const older = answers.find(isOlder)
    if (shown !== undefined && (older !== undefined || newest !== shown.version))
      this.#shown = { ...shown, version: older?.version ?? shown.version, isWhole: false }
  }

  /** Of what is wanted; undefined of what has not come. */
  #wantedAnswers(): readonly (Answer | undefined)[] {
    return this.#wanted.map((request) => this.#answers.get(keyOf(request)))
  }
}

function isStored(answer: Answer | undefined): boolean {
  return answer?.isStored === true
}
