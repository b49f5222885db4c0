/** What the place that text is written to can show. */
export interface Terminal {
  readonly isTerminal: boolean
  /** Cells a line has; Infinity when there is no terminal and so nothing to fit. */
  readonly width: number
  readonly height: number
  readonly color: boolean
  /** The locale's encoding is UTF-8: box characters and `…` arrive as such. */
  readonly unicode: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** `noColor` is the flag; `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb`, `COLUMNS` and the locale are honoured. */
export function describeTerminal(stream: Stream, env: Environment, noColor = false): Terminal {
  const isTerminal = stream.isTTY === true
  const columns = Number(env.COLUMNS)
  const wanted = Number.isInteger(columns) && columns > 0 ? columns : undefined
  return {
    isTerminal,
    width: wanted ?? (isTerminal ? stream.columns || 80 : Number.POSITIVE_INFINITY),
    height: stream.rows || 24,
    color: hasColor(isTerminal, env, noColor),
    unicode: isUtf8(env),
  }
}

function hasColor(isTerminal: boolean, env: Environment, noColor: boolean): boolean {
  if (noColor || env.NO_COLOR || env.TERM === 'dumb') return false
  return isTerminal || (env.FORCE_COLOR !== undefined && !['', '0', 'false'].includes(env.FORCE_COLOR))
}

function isUtf8(env: Environment): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  // Without any locale, as under cron: only Linux means ASCII by that.
  return locale ? /utf-?8/i.test(locale) : process.platform !== 'linux'
}
