/** What a stream has done so far: for the status line, the metrics file and the summary. */

import { writeWhole } from '../report-file.ts'
import type { Counts } from '../types.ts'

export interface StreamCounts extends Counts {
  readonly commits: number
  /** Times that another run had moved on what was to be committed. */
  readonly overtaken: number
}

/** A partition's distance from the newest message that the broker has; or how many files of a directory wait. */
export interface Lag {
  /** `clicks-0`, or the directory. */
  readonly name: string
  /** Records, or files. */
  readonly behind: number
}

export class StreamStatus {
  readonly source: string
  /** What is behind. */
  readonly unit: 'records' | 'files'
  readonly startedAt = Date.now()
  #counts: StreamCounts = {
    read: 0,
    mapped: 0,
    rejected: 0,
    filtered: 0,
    doubled: 0,
    commits: 0,
    overtaken: 0,
  }
  #lags: readonly Lag[] | undefined
  #badFiles = 0
  #lastCommit: Date | undefined
  #lastBuild: { readonly at: Date; readonly seconds: number } | undefined
  /** Records read by the last commits, newest last: what the rate is of. */
  #recent: { readonly at: number; readonly records: number }[] = []

  constructor(source: string, unit: 'records' | 'files' = 'records') {
    this.source = source
    this.unit = unit
  }

  get counts(): StreamCounts {
    return this.#counts
  }

  get lags(): readonly Lag[] {
    return this.#lags ?? []
  }

  get lastBuild() {
    return this.#lastBuild
  }

  committed(counts: readonly Counts[]): void {
    const sum = { ...this.#counts, commits: this.#counts.commits + 1 }
    for (const one of counts)
      for (const fate of ['read', 'mapped', 'rejected', 'filtered', 'doubled'] as const)
        sum[fate] += one[fate]
    const now = Date.now()
    this.#recent.push({ at: now, records: sum.read - this.#counts.read })
    this.#recent = this.#recent.filter(({ at }) => at > now - RATE_MS)
    this.#counts = sum
    this.#lastCommit = new Date(now)
  }

  /** Doubles of records that were committed, dropped before they came here. */
  dropped(doubled: number): void {
    const { read, doubled: before } = this.#counts
    this.#counts = { ...this.#counts, read: read + doubled, doubled: before + doubled }
  }

  overtaken(): void {
    this.#counts = { ...this.#counts, overtaken: this.#counts.overtaken + 1 }
  }

  built(seconds: number): void {
    this.#lastBuild = { at: new Date(), seconds }
  }

  /** Undefined: nobody knows. */
  lagging(lags: readonly Lag[] | undefined): void {
    this.#lags = lags
  }

  /** How many files of the directory cannot be loaded as they are now. */
  bad(files: number): void {
    this.#badFiles = files
  }

  /** Records a second over the last ten. */
  get rate(): number {
    const now = Date.now()
    const recent = this.#recent.filter(({ at }) => at > now - RATE_MS)
    const span = Math.min(RATE_MS, now - this.startedAt) / 1000
    return span <= 0 ? 0 : recent.reduce((total, { records }) => total + records, 0) / span
  }

  /** `12,400 records, 1,210/s, 3 rejected, lag 12 (clicks-0 10, clicks-1 2), committed 08:13:22Z`. */
  line(): string {
    const { read, rejected } = this.#counts
    const number = (value: number) => Math.round(value).toLocaleString('en')
    const behind = this.lags.filter((lag) => lag.behind > 0).sort((a, b) => b.behind - a.behind)
    const total = behind.reduce((sum, lag) => sum + lag.behind, 0)
    const most = behind.slice(0, 3).map((lag) => `${lag.name} ${number(lag.behind)}`)
    const lag = this.#lags === undefined ? 'unknown' : number(total)
    const named = behind.length > 1 ? ` (${most.join(', ')}${behind.length > 3 ? ', …' : ''})` : ''
    const committed = this.#lastCommit
      ? `committed ${this.#lastCommit.toISOString().slice(11, 19)}Z`
      : 'nothing committed yet'
    const unit = this.unit === 'records' || this.#lags === undefined ? '' : total === 1 ? ' file' : ' files'
    const bad = this.#badFiles > 0 ? `, ${number(this.#badFiles)} bad` : ''
    return `${number(read)} records, ${number(this.rate)}/s, ${number(rejected)} rejected, lag ${lag}${unit}${named}${bad}, ${committed}`
  }

  /** OpenMetrics text, version 1.0.0. */
  metrics(): string {
    const { read, rejected, mapped, filtered, doubled, commits, overtaken } = this.#counts
    const source = `source="${escaped(this.source)}"`
    const lines = [
      '# TYPE lpa_stream_records counter',
      '# HELP lpa_stream_records Records committed by this run, by fate.',
      ...Object.entries({ mapped, rejected, filtered, doubled }).map(
        ([fate, count]) => `lpa_stream_records_total{${source},fate="${fate}"} ${count}`,
      ),
      '# TYPE lpa_stream_read counter',
      '# HELP lpa_stream_read Records read and committed by this run.',
      `lpa_stream_read_total{${source}} ${read}`,
      '# TYPE lpa_stream_commits counter',
      `lpa_stream_commits_total{${source}} ${commits}`,
      '# TYPE lpa_stream_overtaken counter',
      '# HELP lpa_stream_overtaken Commits dropped because another run had moved on.',
      `lpa_stream_overtaken_total{${source}} ${overtaken}`,
      '# TYPE lpa_stream_lag gauge',
      '# HELP lpa_stream_lag Records (of a directory: files) that are there and not committed yet.',
      ...this.lags.map(({ name, behind }) => `lpa_stream_lag{${source},place="${escaped(name)}"} ${behind}`),
      ...(this.unit === 'files'
        ? [
            '# TYPE lpa_stream_bad_files gauge',
            '# HELP lpa_stream_bad_files Files of the directory that cannot be loaded as they are now.',
            `lpa_stream_bad_files{${source}} ${this.#badFiles}`,
          ]
        : []),
      '# TYPE lpa_stream_start_time_seconds gauge',
      '# UNIT lpa_stream_start_time_seconds seconds',
      `lpa_stream_start_time_seconds{${source}} ${this.startedAt / 1000}`,
      ...(this.#lastCommit
        ? [
            '# TYPE lpa_stream_last_commit_time_seconds gauge',
            '# UNIT lpa_stream_last_commit_time_seconds seconds',
            `lpa_stream_last_commit_time_seconds{${source}} ${this.#lastCommit.getTime() / 1000}`,
          ]
        : []),
      ...(this.#lastBuild
        ? [
            '# TYPE lpa_stream_last_build_time_seconds gauge',
            '# UNIT lpa_stream_last_build_time_seconds seconds',
            `lpa_stream_last_build_time_seconds{${source}} ${this.#lastBuild.at.getTime() / 1000}`,
          ]
        : []),
      '# EOF',
    ]
    return `${lines.join('\n')}\n`
  }

  /** Nothing in it is personal: anybody may read it, as the collectors of metrics do. */
  async writeMetrics(file: string): Promise<void> {
    await writeWhole(file, this.metrics(), 0o644)
  }
}

const RATE_MS = 10_000

function escaped(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
