/**
 * One `lpa grant apply` at a time, where DDL ends the transaction of a lock: whose turn it is stands in a row, which says
 * again and again that its run is alive. Of one that was killed it counts for a minute, or on the same machine not at all.
 */

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { tellOfWait } from '../engines/lock-wait.ts'
import { UserError } from '../errors.ts'
import { processStart } from '../process-alive.ts'
import type { Engine, Row } from '../types.ts'
import { ledgerRows, writeLedger } from './ledger.ts'

const COUNTS_MS = 60_000
const RENEW_MS = 10_000
const ASK_AGAIN_MS = 1000

export class ApplyTurn implements AsyncDisposable {
  readonly #engine: Engine
  readonly #name = randomUUID()
  readonly #timer: NodeJS.Timeout
  #renewedAt = Date.now()
  #isOver = false

  private constructor(engine: Engine) {
    this.#engine = engine
    this.#timer = setInterval(() => void this.#renew().catch(() => {}), RENEW_MS).unref()
  }

  /** @throws UserError LPA-GRANT-LOCKED (75) while another run has it, after so long */
  static async take(engine: Engine, waitMs: number): Promise<ApplyTurn> {
    const turn = new ApplyTurn(engine)
    const deadline = Date.now() + waitMs
    try {
      while (!(await turn.#isFree())) {
        if (Date.now() >= deadline) throw locked('Another lpa grant apply is at work.')
        tellOfWait(deadline, waitMs)
        await sleep(ASK_AGAIN_MS)
      }
      return turn
    } catch (error) {
      clearInterval(turn.#timer)
      throw error
    }
  }

  /** Under the writer lock nobody else looks meanwhile. */
  #isFree(): Promise<boolean> {
    return this.#engine.transaction(async () => {
      const turns = await ledgerRows(this.#engine, 'apply-turn')
      if (turns.some(isAtWork)) return false
      for (const [name = null] of turns)
        await writeLedger(this.#engine, 'remove-policy-object', { kind: 'apply', name })
      const process = { kind: 'apply', name: this.#name, definition: thisProcess() }
      await writeLedger(this.#engine, 'add-policy-object', { ...process, applied_at: now() })
      this.#renewedAt = Date.now()
      return true
    })
  }

  async #renew(): Promise<void> {
    const rows = await writeLedger(this.#engine, 'renew-turn', { name: this.#name, applied_at: now() })
    this.#isOver = rows === 0
    this.#renewedAt = Date.now()
  }

  /**
   * Before each statement: a run that slept for too long finds its turn gone to another.
   * @throws UserError LPA-GRANT-LOCKED (75)
   */
  async assertMine(): Promise<void> {
    if (Date.now() - this.#renewedAt > 2 * RENEW_MS) await this.#renew()
    if (this.#isOver) throw locked('Another lpa grant apply has begun meanwhile.')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    // Left behind, it counts for a minute.
    await writeLedger(this.#engine, 'remove-policy-object', { kind: 'apply', name: this.#name }).catch(
      () => {},
    )
  }
}

const now = () => new Date().toISOString()

const processText = (pid: number) => `${hostname()} ${pid} ${processStart(pid)}`
const thisProcess = () => processText(process.pid)

function isAtWork([, definition, at]: Row): boolean {
  if (Date.now() - Date.parse(String(at)) > COUNTS_MS) return false
  const [, host, pid] = /^(\S+) (\d+) /.exec(String(definition)) ?? []
  return host !== hostname() || processText(Number(pid)) === definition
}

function locked(what: string): UserError {
  return new UserError('LPA-GRANT-LOCKED', what, {
    exit: 'locked',
    next: ['Try again, or wait for it: --lock-wait 10m', 'One that was killed counts for a minute.'],
  })
}
