import { formatDuration } from './duration.ts'
import { safeText } from './safe-text.ts'

/** How far the current step is; each value replaces the one before. */
export interface ProgressUpdate {
  readonly rows?: number
  readonly bytes?: number
  readonly totalBytes?: number
  /** From 0 to 1, where neither rows nor bytes say it: a statement's own progress. */
  readonly share?: number
}

export interface Progress {
  /** A new step begins: `Reading events.ndjson`. */
  step(label: string): void
  update(update: ProgressUpdate): void
  /** The work has ended: what was shown is erased. */
  done(): void
}

export const silentProgress: Progress = { step() {}, update() {}, done() {} }

const REDRAW_MS = 100

/** One line on a terminal, drawn anew at most every 100 ms, cut to the terminal's width, and erased at the end. */
export function terminalProgress(
  stream: NodeJS.WriteStream,
  now: () => number = () => performance.now(),
): Progress {
  let label = ''
  let latest: ProgressUpdate = {}
  let startedMs = now()
  let timer: NodeJS.Timeout | undefined
  let drawn = ''

  const draw = (): void => {
    const line = cutToCells(progressLine(label, latest, now() - startedMs), (stream.columns || 80) - 1)
    if (line === drawn) return
    drawn = line
    stream.write(`\r\x1b[2K${line}`)
  }
  return {
    step(next) {
      label = next
      latest = {}
      startedMs = now()
      // Not kept alive by it: a program that has ended its work ends.
      timer ??= setInterval(draw, REDRAW_MS).unref()
    },
    update(update) {
      latest = { ...latest, ...update }
    },
    done() {
      clearInterval(timer)
      timer = undefined
      if (drawn !== '') stream.write('\r\x1b[2K')
      drawn = ''
    },
  }
}

/** A line that wraps could not be erased. Too narrow is safe: what is not ASCII counts as two cells, as 東 takes. */
function cutToCells(text: string, cells: number): string {
  let kept = ''
  let left = Math.max(1, cells)
  for (const character of text) {
    left -= character <= '~' ? 1 : 2
    if (left < 0) break
    kept += character
  }
  return kept
}

/** `Reading events.ndjson  1.2M rows  340 MB of 1.3 GB  26 %  85 MB/s  11 s left` */
export function progressLine(label: string, update: ProgressUpdate, elapsedMs: number): string {
  const { rows, bytes, totalBytes } = update
  const share =
    update.share ?? (bytes !== undefined && totalBytes ? Math.min(1, bytes / totalBytes) : undefined)
  const parts = [safeText(label)]
  if (rows !== undefined) parts.push(`${inUnits(rows, ['', 'k', 'M', 'G'], '')} rows`)
  if (bytes !== undefined) {
    parts.push(totalBytes ? `${inBytes(bytes)} of ${inBytes(totalBytes)}` : inBytes(bytes))
  }
  if (share !== undefined) parts.push(`${Math.floor(share * 100)} %`)
  const seconds = elapsedMs / 1000
  // The first second says nothing about speed.
  if (seconds >= 1) {
    if (bytes) parts.push(`${inBytes(bytes / seconds)}/s`)
    else if (rows) parts.push(`${inUnits(rows / seconds, ['', 'k', 'M', 'G'], '')} rows/s`)
    if (share && share < 1)
      parts.push(`${formatDuration(Math.max(1000, (elapsedMs * (1 - share)) / share))} left`)
    else if (share === undefined) parts.push(formatDuration(elapsedMs))
  }
  return parts.join('  ')
}

function inBytes(bytes: number): string {
  return inUnits(bytes, ['B', 'kB', 'MB', 'GB', 'TB'], ' ')
}

function inUnits(value: number, units: readonly string[], space: string): string {
  let scaled = value
  let unit = 0
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  return `${unit > 0 && scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)}${space}${units[unit]}`
}
