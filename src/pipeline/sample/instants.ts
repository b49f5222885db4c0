/** Instants as text. `Date` would make half of the garbage of a large campus. */
import type { Window } from './catalog.ts'

const daySeconds = 86_400
const twoDigits: readonly string[] = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))
const threeDigits: readonly string[] = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'))

/** Writes instants of a window, given in whole seconds from its start, not before it. */
export class Instants {
  readonly #startMs: number
  /** `2026-03-03T` by day, filled when it is needed. */
  readonly #days: string[] = []

  constructor(window: Window) {
    this.#startMs = window.startMs
  }

  /** `2026-03-03T08:13:22Z` */
  second(second: number): string {
    return `${this.#text(second)}Z`
  }

  /** `2026-03-03T08:13:22.120Z` */
  millisecond(second: number, ms: number): string {
    return `${this.#text(second)}.${threeDigits[ms]}Z`
  }

  #text(second: number): string {
    const day = Math.floor(second / daySeconds)
    let dayText = this.#days[day]
    if (dayText === undefined) {
      dayText = new Date(this.#startMs + day * daySeconds * 1000).toISOString().slice(0, 11)
      this.#days[day] = dayText
    }
    const ofDay = second - day * daySeconds
    const hour = Math.floor(ofDay / 3600)
    const minute = Math.floor(ofDay / 60) - hour * 60
    return `${dayText}${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[ofDay % 60]}`
  }
}
