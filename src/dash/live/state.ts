/** What the reader has done so far, and what a key makes of it: pure, without a terminal. */

import type { Click, Glyphs } from '../../types.ts'
import { DAY_RANGES, FIRST_VIEW, type Screen, type TableRow, type View } from '../screen.ts'
import { type Command, commandOf, type KeyBinding } from './keys.ts'

/** What of a view belongs to one screen; the rest is the same on all. */
type OwnView = Pick<View, 'filter' | 'sort' | 'selected' | 'opened' | 'style'> & {
  /** Where what is opened was opened from, to go back to. */
  readonly from?: { readonly screen: string; readonly own: OwnView }
}

export interface LiveState {
  /** Name of the screen that is shown. */
  readonly screen: string
  readonly days: number
  readonly isCompared: boolean
  /** By name of screen; one that was not looked at yet has none. */
  readonly views: Readonly<Record<string, OwnView>>
  readonly mode: 'browse' | 'filter' | 'palette' | 'help'
  /** Typed after `/` or `:`. */
  readonly input: string
  /** Row of the palette, or first line of the help. */
  readonly choice: number
  readonly isPaused: boolean
}

/** What a key asks for that is no state. */
export type Effect = 'quit' | 'interrupt' | 'suspend' | 'refresh' | 'copy' | 'export'

export interface PaletteEntry {
  readonly label: string
  /** What is typed is looked for in this. */
  readonly searched: string
  readonly go:
    | { readonly kind: 'screen'; readonly screen: string; readonly opened?: string }
    | { readonly kind: 'command'; readonly command: Command }
}

/** What is on the screen while a key is pressed. */
export interface Surroundings {
  readonly screens: readonly Screen[]
  readonly bindings: readonly KeyBinding[]
  /** Of the shown screen's table. */
  readonly rows: readonly TableRow[]
  readonly columns: readonly string[]
  /** All that the palette can go to. */
  readonly entries: readonly PaletteEntry[]
  /** Lines of the help that there is room for. */
  readonly helpRows: number
}

export interface Pressed {
  readonly state: LiveState
  readonly effect?: Effect
}

const PAGE_ROWS = 10
/** No title is longer, and each letter more is looked for in every row. */
export const MOST_TYPED = 200

const FIRST_OWN: OwnView = {
  filter: FIRST_VIEW.filter,
  sort: FIRST_VIEW.sort,
  selected: FIRST_VIEW.selected,
  opened: FIRST_VIEW.opened,
  style: FIRST_VIEW.style,
}

export function firstState(screen: string): LiveState {
  return {
    screen,
    days: FIRST_VIEW.days,
    isCompared: FIRST_VIEW.isCompared,
    views: {},
    mode: 'browse',
    input: '',
    choice: 0,
    isPaused: false,
  }
}

export function viewOf(state: LiveState, glyphs: Glyphs, screen = state.screen): View {
  const { from: _, ...own } = ownView(state, screen)
  return { days: state.days, isCompared: state.isCompared, glyphs, ...own }
}

function ownView(state: LiveState, screen = state.screen): OwnView {
  return state.views[screen] ?? FIRST_OWN
}

function withOwn(state: LiveState, change: Partial<OwnView>): LiveState {
  return { ...state, views: { ...state.views, [state.screen]: { ...ownView(state), ...change } } }
}

/** The same state object when the key changes nothing. */
export function press(state: LiveState, key: string, around: Surroundings): Pressed {
  // These leave from everywhere, also while a text is typed.
  if (key === '^c' || key === '^z') return { state, effect: key === '^c' ? 'interrupt' : 'suspend' }
  switch (state.mode) {
    case 'filter':
      return { state: typeFilter(state, key, around) }
    case 'palette':
      return typePalette(state, key, around)
    case 'help':
      return readHelp(state, key, around)
    case 'browse': {
      const command = commandOf(around.bindings, key)
      return command === undefined ? { state } : run(state, command, key, around)
    }
  }
}

/** A click on a text that says what it does; from everywhere, as what is clicked can be seen. */
export function click(state: LiveState, target: Click, around: Surroundings): Pressed {
  if (target.kind === 'choice')
    return choose(state, matching(around.entries, state.input)[target.index], around)
  const browsing: LiveState = { ...state, mode: 'browse' }
  switch (target.kind) {
    case 'key':
      return press(browsing, target.key, around)
    case 'column':
      return { state: sortBy(browsing, target.index) }
    case 'row':
      // As Enter does, on the row that was chosen already.
      return {
        state:
          target.index === ownView(state).selected
            ? open(browsing, around)
            : select(state, target.index, around),
      }
  }
}

function run(state: LiveState, command: Command, key: string, around: Surroundings): Pressed {
  const { selected } = ownView(state)
  switch (command) {
    case 'down':
      return { state: select(state, selected + 1, around) }
    case 'up':
      return { state: select(state, selected - 1, around) }
    case 'first':
      return { state: select(state, 0, around) }
    case 'last':
      return { state: select(state, around.rows.length - 1, around) }
    case 'pageDown':
      return { state: select(state, selected + PAGE_ROWS, around) }
    case 'pageUp':
      return { state: select(state, selected - PAGE_ROWS, around) }
    case 'screen': {
      const named = around.screens.find(({ number }) => String(number) === key)
      return { state: named === undefined ? state : show(state, named.name) }
    }
    case 'nextScreen':
      return { state: step(state, 1, around) }
    case 'previousScreen':
      return { state: step(state, -1, around) }
    case 'open':
      return { state: open(state, around) }
    case 'back':
      return { state: back(state) }
    case 'filter':
      return { state: { ...state, mode: 'filter', input: filterInput(ownView(state)) } }
    case 'sort':
      return { state: sortByNext(state, around) }
    case 'turnSort': {
      const { sort } = ownView(state)
      return {
        state:
          sort === undefined
            ? state
            : withOwn(state, { sort: { ...sort, isDescending: !sort.isDescending }, selected: 0 }),
      }
    }
    case 'range': {
      const next = DAY_RANGES[(DAY_RANGES.indexOf(state.days) + 1) % DAY_RANGES.length]
      return { state: { ...state, days: next ?? state.days } }
    }
    case 'compare':
      return { state: { ...state, isCompared: !state.isCompared } }
    case 'style':
      return { state: withOwn(state, { style: ownView(state).style + 1 }) }
    case 'pause':
      return { state: { ...state, isPaused: !state.isPaused } }
    case 'palette':
      return { state: { ...state, mode: 'palette', input: '', choice: 0 } }
    case 'help':
      return { state: { ...state, mode: 'help', choice: 0 } }
    case 'refresh':
    case 'copy':
    case 'export':
    case 'suspend':
    case 'quit':
    case 'interrupt':
      return { state, effect: command }
  }
}

/** The selection stays on a row that is there, also when filter or data leave fewer. */
export function select(state: LiveState, row: number, { rows }: Pick<Surroundings, 'rows'>): LiveState {
  const selected = Math.max(0, Math.min(row, rows.length - 1))
  return selected === ownView(state).selected ? state : withOwn(state, { selected })
}

function show(state: LiveState, screen: string): LiveState {
  return screen === state.screen ? state : { ...state, screen }
}

function step(state: LiveState, by: number, { screens }: Surroundings): LiveState {
  const at = screens.findIndex(({ name }) => name === state.screen)
  const next = screens[(at + by + screens.length) % screens.length]
  return next === undefined ? state : show(state, next.name)
}

function open(state: LiveState, { rows, screens }: Surroundings): LiveState {
  const { selected, opened } = ownView(state)
  const key = rows[selected]?.key
  if (key === undefined || opened !== undefined) return state
  const opens = screens.find(({ name }) => name === state.screen)?.opens ?? state.screen
  return openIn(state, opens, key)
}

function openIn(state: LiveState, screen: string, opened: string): LiveState {
  return withOwn(show(state, screen), {
    ...FIRST_OWN,
    opened,
    from: { screen: state.screen, own: ownView(state) },
  })
}

function back(state: LiveState): LiveState {
  const { opened, filter, from } = ownView(state)
  if (opened !== undefined) {
    const closed = { ...state, views: { ...state.views, [state.screen]: FIRST_OWN } }
    return from === undefined ? closed : withOwn(show(closed, from.screen), from.own)
  }
  return filter.text === '' ? state : withOwn(state, { filter: FIRST_OWN.filter, selected: 0 })
}

/** From the largest; the other way round when it is sorted by that column already. */
function sortBy(state: LiveState, column: number): LiveState {
  const { sort } = ownView(state)
  const isDescending = sort?.column === column ? !sort.isDescending : true
  return withOwn(state, { sort: { column, isDescending }, selected: 0 })
}

/** Numbers are looked at from the largest, and after the last column as the report has them. */
function sortByNext(state: LiveState, { columns }: Surroundings): LiveState {
  const column = (ownView(state).sort?.column ?? -1) + 1
  const sort = column < columns.length ? { column, isDescending: true } : undefined
  return columns.length === 0 ? state : withOwn(state, { sort, selected: 0 })
}

// ── while a text is typed ─────────────────────────────────────────────────────────────────────────────────

/** The table follows with each key; Enter keeps the filter, Esc takes it away. */
function typeFilter(state: LiveState, key: string, around: Surroundings): LiveState {
  if (key === 'enter') return { ...state, mode: 'browse' }
  if (key === 'escape') return { ...filtered(state, ''), mode: 'browse' }
  if (key === 'up' || key === 'down') {
    return select(state, ownView(state).selected + (key === 'up' ? -1 : 1), around)
  }
  const input = typed(state.input, key)
  return input === state.input ? state : filtered(state, input)
}

/** A filter as it is typed. */
export function filterInput({ filter }: Pick<View, 'filter'>): string {
  return `${filter.isInverted ? '!' : ''}${filter.text}`
}

function filtered(state: LiveState, input: string): LiveState {
  const isInverted = input.startsWith('!')
  const filter = { text: isInverted ? input.slice(1) : input, isInverted }
  return withOwn({ ...state, input }, { filter, selected: 0 })
}

function typePalette(state: LiveState, key: string, around: Surroundings): Pressed {
  const found = matching(around.entries, state.input)
  if (key === 'escape') return { state: { ...state, mode: 'browse' } }
  if (key === 'up' || key === 'down' || key === 'tab' || key === 'shift-tab') {
    const by = key === 'up' || key === 'shift-tab' ? -1 : 1
    const choice = Math.max(0, Math.min(state.choice + by, found.length - 1))
    return { state: choice === state.choice ? state : { ...state, choice } }
  }
  if (key === 'enter') return choose(state, found[state.choice], around)
  const input = typed(state.input, key)
  return { state: input === state.input ? state : { ...state, input, choice: 0 } }
}

/** Goes where an entry of the palette says. */
function choose(state: LiveState, entry: PaletteEntry | undefined, around: Surroundings): Pressed {
  if (entry === undefined) return { state }
  const { go } = entry
  const closed: LiveState = { ...state, mode: 'browse', input: '' }
  if (go.kind === 'command') return run(closed, go.command, '', around)
  return {
    state: go.opened === undefined ? show(closed, go.screen) : openIn(closed, go.screen, go.opened),
  }
}

/** Entries in which every typed word is found, those that begin with the text first. */
export function matching(entries: readonly PaletteEntry[], input: string): readonly PaletteEntry[] {
  const words = input.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return entries
  const found = entries.filter(({ searched }) => words.every((word) => searched.includes(word)))
  const begins = ({ searched }: PaletteEntry) => searched.startsWith(words.join(' '))
  return [...found.filter(begins), ...found.filter((entry) => !begins(entry))]
}

function typed(input: string, key: string): string {
  if (key === 'backspace') return Array.from(input).slice(0, -1).join('')
  if (key === '^u') return ''
  // A name of a key, and not what it writes.
  return Array.from(key).length === 1 && input.length < MOST_TYPED ? input + key : input
}

function readHelp(state: LiveState, key: string, { bindings, helpRows }: Surroundings): Pressed {
  const command = commandOf(bindings, key)
  if (command === 'back' || command === 'help' || command === 'quit')
    return { state: { ...state, mode: 'browse' } }
  const by = command === 'down' ? 1 : command === 'up' ? -1 : 0
  const last = Math.max(0, bindings.length - helpRows)
  const choice = Math.max(0, Math.min(state.choice + by, last))
  return { state: choice === state.choice ? state : { ...state, choice } }
}
