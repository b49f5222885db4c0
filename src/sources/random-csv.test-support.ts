/** Random well-formed CSV, together with all that a reader of it must find. */

/** Numbers below `limit` from a seed: mulberry32. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) % limit
  }
}

export interface RandomCsv {
  readonly text: string
  readonly delimiter: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** The line on which each row starts. */
  readonly lines: readonly number[]
  readonly blankLines: number
  /** The text as a line for each record: what plainCsv makes of it. */
  readonly plain: string
}

const VALUES = [
  'x',
  'a b',
  '',
  'é',
  '日本',
  '0',
  ' padded ',
  'it"s',
  'esc\x1bape\x1bn',
  '"',
  'two\nlines',
  'cr\rlf\r\n',
  '\n',
  ',',
  ';',
  'q"",\n"',
]

/** Line ends inside records are quoted, so these may be told by themselves. */
function escaped(record: string): string {
  return record.replaceAll('\x1b', '\x1be').replaceAll('\n', '\x1bn').replaceAll('\r', '\x1br')
}

export interface RandomCsvShape {
  readonly rows?: number
  /** Line ends to choose from, one for the whole text unless `isMixed`. */
  readonly lineEnds?: readonly string[]
  readonly isMixed?: boolean
  readonly hasBlankLines?: boolean
  readonly hasQuotedLineEnds?: boolean
}

export function randomCsv(random: (limit: number) => number, shape: RandomCsvShape = {}): RandomCsv {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
  const delimiter = pick([',', ';', '\t', '|'])
  const lineEnds = shape.lineEnds ?? ['\n', '\r\n', '\r']
  const isMixed = shape.isMixed ?? random(3) === 0
  const hasBlankLines = shape.hasBlankLines ?? random(2) === 0
  const fixedEnd = pick(lineEnds)
  const lineEnd = () => (isMixed ? pick(lineEnds) : fixedEnd)
  const header = Array.from({ length: 2 + random(4) }, (_, index) => `column ${'abcdef'[index]}`)
  const values = shape.hasQuotedLineEnds === false ? VALUES.filter((value) => !/[\r\n]/.test(value)) : VALUES
  const rows = Array.from({ length: shape.rows ?? random(20) }, () => header.map(() => pick(values)))

  const encode = (value: string) => {
    const mustQuote = value.includes(delimiter) || /^"|[\r\n]/.test(value)
    return mustQuote || random(4) === 0 ? `"${value.replaceAll('"', '""')}"` : value
  }
  let text = ''
  let plain = ''
  let line = 1
  let blankLines = 0
  const lines: number[] = []
  for (const [index, row] of [header, ...rows].entries()) {
    while (hasBlankLines && index > 0 && random(4) === 0) {
      // After a lone carriage return a line feed would be its second half.
      text += text.endsWith('\r') ? '\r' : lineEnd()
      line += 1
      blankLines += 1
    }
    const record = row.map(encode).join(delimiter)
    if (index > 0) lines.push(line)
    const isLast = index === rows.length
    const end = isLast && random(2) === 0 ? '' : lineEnd()
    text += record + end
    plain += escaped(record) + (end === '' ? '' : '\n')
    line += 1 + (record.match(/\r\n|\r|\n/g)?.length ?? 0)
  }
  return { text, delimiter, header, rows, lines, blankLines, plain }
}
