/** The keys of the dashboard, said once: input, the footer and the help are made from this table. */

import type { Glyphs } from '../../types.ts'

export type Command =
  | 'down'
  | 'up'
  | 'first'
  | 'last'
  | 'pageDown'
  | 'pageUp'
  | 'previousScreen'
  | 'nextScreen'
  | 'screen'
  | 'open'
  | 'back'
  | 'filter'
  | 'sort'
  | 'turnSort'
  | 'range'
  | 'compare'
  | 'style'
  | 'pause'
  | 'refresh'
  | 'copy'
  | 'export'
  | 'palette'
  | 'help'
  | 'suspend'
  | 'quit'
  | 'interrupt'

export interface KeyBinding {
  readonly command: Command
  /** As `keyNames` names them. */
  readonly keys: readonly string[]
  /** How the keys are written in the help. */
  readonly shown: string
  readonly help: string
  /** In the footer, with the first key; the lowest rank stays longest. */
  readonly footer?: { readonly label: string; readonly rank: number }
}

export const KEYS: readonly KeyBinding[] = [
  { command: 'down', keys: ['j', 'down'], shown: 'j, down', help: 'next row' },
  { command: 'up', keys: ['k', 'up'], shown: 'k, up', help: 'row before' },
  { command: 'first', keys: ['g', 'home'], shown: 'g, home', help: 'first row' },
  { command: 'last', keys: ['G', 'end'], shown: 'G, end', help: 'last row' },
  { command: 'pageDown', keys: ['^d', 'pagedown'], shown: '^d, page down', help: 'ten rows down' },
  { command: 'pageUp', keys: ['^u', 'pageup'], shown: '^u, page up', help: 'ten rows up' },
  {
    command: 'screen',
    keys: ['1', '2', '3', '4', '5', '6', '7'],
    shown: '1-7',
    help: 'screen of that number',
    footer: { label: 'screen', rank: 7 },
  },
  {
    command: 'nextScreen',
    keys: ['l', 'right', 'tab'],
    shown: 'l, right, tab',
    help: 'next screen',
  },
  {
    command: 'previousScreen',
    keys: ['h', 'left', 'shift-tab'],
    shown: 'h, left, shift-tab',
    help: 'screen before',
  },
  {
    command: 'open',
    keys: ['enter'],
    shown: 'enter',
    help: 'open the row',
    footer: { label: 'open', rank: 3 },
  },
  { command: 'back', keys: ['escape'], shown: 'esc', help: 'back: close, then the filter away' },
  {
    command: 'filter',
    keys: ['/'],
    shown: '/',
    help: 'rows that hold a text; /!text: those that do not',
    footer: { label: 'filter', rank: 2 },
  },
  {
    command: 'sort',
    keys: ['s'],
    shown: 's',
    help: 'sort by the next column',
    footer: { label: 'sort', rank: 5 },
  },
  { command: 'turnSort', keys: ['S'], shown: 'S', help: 'sort the other way round' },
  {
    command: 'range',
    keys: ['t'],
    shown: 't',
    help: 'time range: 7, 28, 90 or 364 days',
    footer: { label: 'range', rank: 4 },
  },
  {
    command: 'compare',
    keys: ['c'],
    shown: 'c',
    help: 'compare with the days before',
    footer: { label: 'compare', rank: 8 },
  },
  { command: 'style', keys: ['v'], shown: 'v', help: 'other kind of chart' },
  { command: 'pause', keys: ['p'], shown: 'p', help: 'pause, and go on' },
  { command: 'refresh', keys: ['r'], shown: 'r', help: 'read everything again' },
  { command: 'copy', keys: ['y'], shown: 'y', help: 'put the row into the clipboard of the terminal' },
  {
    command: 'export',
    keys: ['e'],
    shown: 'e',
    help: 'export the screen to a file',
    footer: { label: 'export', rank: 6 },
  },
  {
    command: 'palette',
    keys: [':'],
    shown: ':',
    help: 'go to a screen, a course, a command',
    footer: { label: 'go to', rank: 6 },
  },
  { command: 'help', keys: ['?'], shown: '?', help: 'these keys', footer: { label: 'help', rank: 0 } },
  { command: 'suspend', keys: ['^z'], shown: '^z', help: 'stop here; fg goes on' },
  { command: 'quit', keys: ['q'], shown: 'q', help: 'leave', footer: { label: 'quit', rank: 1 } },
  { command: 'interrupt', keys: ['^c'], shown: '^c', help: 'leave at once' },
]

/** Keys whose command is there: `export` only where somebody exports. */
export function keysWith(available: (command: Command) => boolean): readonly KeyBinding[] {
  return KEYS.filter(({ command }) => available(command))
}

export function commandOf(bindings: readonly KeyBinding[], key: string): Command | undefined {
  return bindings.find(({ keys }) => keys.includes(key))?.command
}

/** A key as the footer writes it. */
export function keyLabel({ keys, shown }: KeyBinding, glyphs: Glyphs): string {
  if (keys.length > 2) return shown
  return keys[0] === 'enter' && glyphs !== 'ascii' ? '⏎' : (keys[0] ?? '')
}

/** What Ink says of a key: the parts that are asked for here. */
export interface InkKey {
  readonly upArrow: boolean
  readonly downArrow: boolean
  readonly leftArrow: boolean
  readonly rightArrow: boolean
  readonly pageDown: boolean
  readonly pageUp: boolean
  readonly home: boolean
  readonly end: boolean
  readonly return: boolean
  readonly escape: boolean
  readonly ctrl: boolean
  readonly shift: boolean
  readonly tab: boolean
  readonly backspace: boolean
  readonly delete: boolean
  readonly meta: boolean
}

/** Names of the keys in one piece of input: quick typing and pasted text come as several at once. */
export function keyNames(input: string, key: InkKey): readonly string[] {
  const named = namedKey(key)
  if (named !== undefined) return [named]
  if (key.ctrl) return [`^${input}`]
  // With Alt nothing is bound.
  if (key.meta) return []
  return Array.from(input, (character) => CONTROL_KEYS[character] ?? character)
}

/** In pasted text, or typed before the last key was read. */
const CONTROL_KEYS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x03': '^c',
  '\x04': '^d',
  '\x15': '^u',
  '\x1a': '^z',
}

function namedKey(key: InkKey): string | undefined {
  if (key.upArrow) return 'up'
  if (key.downArrow) return 'down'
  if (key.leftArrow) return 'left'
  if (key.rightArrow) return 'right'
  if (key.pageDown) return 'pagedown'
  if (key.pageUp) return 'pageup'
  if (key.home) return 'home'
  if (key.end) return 'end'
  if (key.return) return 'enter'
  if (key.escape) return 'escape'
  if (key.tab) return key.shift ? 'shift-tab' : 'tab'
  if (key.backspace || key.delete) return 'backspace'
  return undefined
}
