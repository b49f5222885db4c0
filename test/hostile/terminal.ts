/** A terminal without a window, and all that bytes do to it besides writing text. */

import xterm from '@xterm/headless'
import { FORGED } from './texts.ts'

const COLUMNS = 80
const ROWS = 24
const TITLE = 'the title from before'
const BEFORE = Array.from({ length: ROWS - 1 }, (_, row) => `what was on the screen before, line ${row + 1}`)
const PROBE = 'what is written afterwards: lqqk'

/** Colours and weights only, as lpa's own output has them. */
const SGR = '\\x1b\\[[0-9;]*m'
/** How progress is drawn: the line is begun anew and erased. Only where progress is expected. */
const REDRAWN = '\\r\\x1b\\[2K'

// Written out here, apart from src/safe-text.ts: the two must not have the same gap.
const RAW = new RegExp(
  '[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200e\\u200f' +
    '\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0d\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff' +
    '\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]' +
    // Joiners and styles of emoji have their place inside words and emoji, never after a Latin letter or alone.
    '|(?:^|[\\x00-\\x7f])[\\u200c\\u200d]|(?:^|[^\\p{Emoji}])[\\ufe0e\\ufe0f]|\\p{M}{9}',
  'u',
)

/** The first character of a text without colours that no terminal should get, and where it stands. */
export function rawCharacters(text: string): string[] {
  const raw = RAW.exec(text)
  return raw
    ? [
        `${JSON.stringify(raw[0])} in ${JSON.stringify(text.slice(Math.max(0, raw.index - 60), raw.index + 60))}`,
      ]
    : []
}

export interface TerminalOptions {
  /** Progress may be drawn. */
  readonly progress?: boolean
  /** It is CSV, whose fields may have several lines. */
  readonly csv?: boolean
}

/**
 * What these bytes do to a terminal of 80 × 24 that shows something already: nothing, or a line for each thing that is
 * more than text being written below what was there.
 */
export async function misdeeds(
  bytes: string | Buffer,
  { progress = false, csv = false }: TerminalOptions = {},
): Promise<string[]> {
  const text = bytes.toString()
  const found = new Set<string>()
  const allowed = new RegExp(progress ? `${SGR}|${REDRAWN}` : SGR, 'g')
  const plain = text.replace(allowed, '').replace(/\r+\n/g, '\n')
  for (const raw of rawCharacters(plain)) found.add(`raw ${raw}`)

  for (const line of FORGED) if (!csv && `\n${plain}`.includes(`\n${line}`)) found.add('forged line')

  // Pipes end lines with LF, which a terminal's driver makes CR LF of.
  const terminal = new xterm.Terminal({
    cols: COLUMNS,
    rows: ROWS,
    scrollback: 100_000,
    convertEol: true,
    allowProposedApi: true,
    logLevel: 'off',
  })
  try {
    const write = (data: string | Buffer) => new Promise<void>((resolve) => terminal.write(data, resolve))
    let title = ''
    terminal.onTitleChange((next) => {
      title = next
    })
    await write(`\x1b]0;${TITLE}\x07${BEFORE.join('\n')}\n`)
    const modes = JSON.stringify(terminal.modes)
    watch(terminal, progress, (deed) => found.add(deed))
    await write(bytes)

    if (title !== TITLE) found.add('title')
    if (JSON.stringify(terminal.modes) !== modes) found.add('mode')
    if (terminal.buffer.active.type !== 'normal') found.add('alternate screen')
    if (terminal.cols !== COLUMNS || terminal.rows !== ROWS) found.add('size')
    if (/\S/.test(plain)) await compareScreen(terminal, progress ? undefined : plain, write, found)
    return [...found]
  } finally {
    terminal.dispose()
  }
}

/** Reports every sequence that the terminal's parser takes, but for colours, and what the terminal says or rings. */
function watch(terminal: xterm.Terminal, progress: boolean, report: (deed: string) => void): void {
  const { parser } = terminal
  const finals = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index))
  const middles = ['', ...finals(0x20, 0x2f)]
  const seen = (deed: string, isOwn = false) => {
    if (!isOwn) report(deed)
    return false
  }
  for (const intermediates of middles) {
    for (const final of finals(0x40, 0x7e)) {
      for (const prefix of ['', '<', '=', '>', '?']) {
        const id = { ...(prefix && { prefix }), ...(intermediates && { intermediates }), final }
        const name = `${prefix}${intermediates}${final}`
        const isColour = name === 'm'
        parser.registerCsiHandler(id, ([first]) =>
          seen(`CSI ${name}`, isColour || (progress && name === 'K' && first === 2)),
        )
        parser.registerDcsHandler(id, () => seen(`DCS ${name}`))
      }
    }
    for (const final of finals(0x30, 0x7e)) {
      const id = { ...(intermediates && { intermediates }), final }
      parser.registerEscHandler(id, () => seen(`ESC ${intermediates}${final}`))
    }
  }
  for (let ident = 0; ident < 2000; ident++) parser.registerOscHandler(ident, () => seen(`OSC ${ident}`))
  terminal.onData((data) => report(`reply ${JSON.stringify(data)}`))
  terminal.onBinary((data) => report(`reply ${JSON.stringify(data)}`))
  terminal.onBell(() => report('bell'))
}

/** What was there is there, below it stands what was written, and what comes next looks as it should. */
async function compareScreen(
  terminal: xterm.Terminal,
  written: string | undefined,
  write: (data: string) => Promise<void>,
  found: Set<string>,
): Promise<void> {
  const before = linesOf(terminal)
  if (BEFORE.some((line, row) => before[row] !== line)) found.add('screen')
  // Where a wide character does not fit into a line the terminal leaves a blank, so blanks are not compared.
  const dense = (text: string) => text.replace(/\s/g, '')
  if (written !== undefined && dense(before.slice(BEFORE.length).join('')) !== dense(written))
    found.add('screen')
  await write(`\n${PROBE}`)
  const buffer = terminal.buffer.active
  const row = buffer.getLine(buffer.baseY + buffer.cursorY)
  if (row?.translateToString(true) !== PROBE) found.add('what comes next')
  const cell = row?.getCell(0)
  if (cell && !(cell.isAttributeDefault() && cell.isFgDefault() && cell.isBgDefault()))
    found.add('colour left on')
}

function linesOf(terminal: xterm.Terminal): string[] {
  const buffer = terminal.buffer.active
  const lines: string[] = []
  for (let row = 0; row < buffer.length; row++) {
    const line = buffer.getLine(row)
    if (!line) continue
    const text = line.translateToString(true)
    if (line.isWrapped && lines.length > 0) lines.push(`${lines.pop()}${text}`)
    else lines.push(text)
  }
  return lines
}
