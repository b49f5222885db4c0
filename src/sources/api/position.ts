/**
 * From where the next run goes on: a value of the since-parameter, or a cursor. It may be personal (the largest id, a
 * name inside a bookmark), so it is kept sealed under the pseudonym key.
 */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import type { ApiSettings } from '../../config/api.ts'
import { UserError } from '../../errors.ts'
import type { PseudonymKey } from '../../pseudonym.ts'
import type { JsonPath } from '../json-path.ts'
import { textAt } from '../json-slices.ts'
import { badPage, type Page, pathOf } from './pages.ts'

/** A parameter and its value: what the next run adds to the address. */
export interface GoOn {
  readonly parameter: string
  readonly value: string
}

/** When the run began, by the clock that the API's times are of: what is later than `latest` is in the future. */
export interface Beginning {
  readonly at: Date
  readonly latest: Date
}

/** Looks at each page in turn. */
export interface PositionFinder {
  add(page: Page): void
  /** After the last page; undefined when nothing can be said. */
  end(): GoOn | undefined
}

export function findPosition(
  settings: ApiSettings,
  before: GoOn | undefined,
  began: Beginning,
): PositionFinder | undefined {
  const { since, sincePath, overlapMs } = settings
  if (settings.resume) return lastCursor(settings.parameter ?? 'cursor', before)
  if (since === undefined) return undefined
  if (sincePath !== undefined) return largestValue(since, pathOf(sincePath), overlapMs, before, began.latest)
  const value = new Date(began.at.getTime() - overlapMs).toISOString()
  return { add() {}, end: () => ({ parameter: since, value }) }
}

function lastCursor(parameter: string, before: GoOn | undefined): PositionFinder {
  let value = before?.value
  return {
    add(page) {
      value = page.cursor ?? value
    },
    end: () => (value === undefined ? undefined : { parameter, value }),
  }
}

/** A time, or a whole number. */
interface Mark {
  readonly order: number | bigint
  readonly text: string
}

function largestValue(
  parameter: string,
  path: JsonPath,
  overlapMs: number,
  before: GoOn | undefined,
  latestAt: Date,
): PositionFinder {
  let largest: Mark | undefined
  return {
    add({ json, records, where }) {
      for (const [index, { start }] of records.entries()) {
        const text = textAt(json, path, start)
        if (text === undefined) continue
        const mark = markOf(text)
        if (!mark || (largest && typeof largest.order !== typeof mark.order)) {
          const what =
            'What since_path names is neither a time with its date nor a whole number, or now one and now the other.'
          throw badPage(what, `${where}, record ${index + 1}`, 'Name another path, or leave since_path out.')
        }
        const isLarger = !largest || mark.order > largest.order
        if (isLarger || (mark.order === largest?.order && mark.text > largest.text)) largest = mark
      }
    },
    end() {
      const earlier = before && markOf(before.value)
      const isBack =
        earlier && largest && typeof earlier.order === typeof largest.order && earlier.order > largest.order
      if (!largest || isBack) return before
      if (typeof largest.order === 'bigint') return { parameter, value: largest.text }
      // A clock that is wrong somewhere must not make everything until then old.
      const latest = latestAt.getTime()
      const isFuture = largest.order > latest
      if (overlapMs === 0 && !isFuture) return { parameter, value: largest.text }
      const value = new Date(Math.min(largest.order, latest) - overlapMs).toISOString()
      return { parameter, value }
    },
  }
}

const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

function markOf(text: string): Mark | undefined {
  if (/^-?\d+$/.test(text)) return { order: BigInt(text), text }
  const match = TIME.exec(text)
  if (!match) return undefined
  // Without a zone, Node would take this machine's.
  const order = Date.parse(match[1] === undefined && text.length > 10 ? `${text}Z` : text)
  return Number.isNaN(order) ? undefined : { order, text }
}

// ── sealing ───────────────────────────────────────────────────────────────────────────────────────────────

const [NONCE_BYTES, TAG_BYTES] = [12, 16]

function sealingKey({ secret }: PseudonymKey): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'lpa:v1:position', 32))
}

/** AES-256-GCM; its nonce comes from the text, so that the same text gives the same seal. */
export function seal(key: PseudonymKey, { parameter, value }: GoOn): string {
  const text = new URLSearchParams([[parameter, value]]).toString()
  const own = sealingKey(key)
  const nonce = createHmac('sha256', own).update(text).digest().subarray(0, NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', own, nonce)
  const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(sealed).toString('base64url')
}

/**
 * What was sealed; undefined when it was for another parameter than is configured now.
 * @throws UserError config (78) when it was sealed under another key
 */
export function unseal(key: PseudonymKey, sealed: string, settings: ApiSettings): GoOn | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  let text: string
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealingKey(key), bytes.subarray(0, NONCE_BYTES))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    text = Buffer.concat([
      decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]).toString('utf8')
  } catch (cause) {
    throw new UserError('LPA-API-POSITION', 'Where to go on was kept under another pseudonym key.', {
      exit: 'config',
      next: [
        'If the key was changed on purpose, read everything again: lpa load NAME --full',
        'If not, restore the key from your backup.',
      ],
      cause,
    })
  }
  const parameter = settings.resume ? (settings.parameter ?? 'cursor') : settings.since
  const value = parameter === undefined ? null : new URLSearchParams(text).get(parameter)
  return parameter === undefined || value === null ? undefined : { parameter, value }
}
