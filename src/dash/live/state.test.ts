import { describe, expect, it } from 'vitest'
import type { Screen, TableRow } from '../screen.ts'
import { KEYS, keyNames } from './keys.ts'
import {
  firstState,
  type LiveState,
  matching,
  type PaletteEntry,
  press,
  type Surroundings,
  viewOf,
} from './state.ts'

const NAMES = ['overview', 'enrollments', 'funnel', 'courses']

const screens = NAMES.map(
  (name, index): Screen => ({
    ...{ number: index + 1, name, title: name, shortTitle: name },
    ...(name === 'overview' && { opens: 'courses' }),
    ...{ reports: () => [], columns: () => [], rows: () => [], draw: () => [], describe: () => [] },
  }),
)

const rows: readonly TableRow[] = Array.from({ length: 30 }, (_, row) => ({
  key: `c${row}`,
  cells: [`Course ${row}`],
}))

const entries: readonly PaletteEntry[] = [
  ...screens.map(({ name }) => ({
    label: name,
    searched: name,
    go: { kind: 'screen', screen: name } as const,
  })),
  {
    label: 'Intro to SQL',
    searched: 'intro to sql',
    go: { kind: 'screen', screen: 'courses', opened: 'sql' },
  },
  { label: 'pause', searched: 'pause', go: { kind: 'command', command: 'pause' } },
]

const around: Surroundings = {
  ...{ screens, bindings: KEYS, rows, columns: ['course', 'enrolled'], entries },
  helpRows: KEYS.length - 3,
}

function stateAfter(keys: readonly string[], state: LiveState = firstState('overview'), here = around) {
  return keys.reduce((before, key) => press(before, key, here).state, state)
}

const view = (state: LiveState) => viewOf(state, 'braille')

describe('the table of keys', () => {
  it('gives no key to two commands', () => {
    const keys = KEYS.flatMap((binding) => binding.keys)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('writes its keys in the help', () => {
    for (const { keys, shown } of KEYS)
      expect(shown.toLowerCase()).toContain((keys[0] ?? '').slice(0, 3).toLowerCase())
  })
})

describe('names of keys', () => {
  const none = {
    ...{
      upArrow: false,
      downArrow: false,
      leftArrow: false,
      rightArrow: false,
      pageDown: false,
      pageUp: false,
    },
    ...{ home: false, end: false, return: false, escape: false, ctrl: false, shift: false, tab: false },
    ...{ backspace: false, delete: false, meta: false },
  }

  it('are what is typed, one for each of several letters', () => {
    expect(keyNames('j', none)).toEqual(['j'])
    expect(keyNames('jjG', none)).toEqual(['j', 'j', 'G'])
    expect(keyNames('/ab\r', none)).toEqual(['/', 'a', 'b', 'enter'])
    expect(keyNames('é🎓', none)).toEqual(['é', '🎓'])
  })

  it('are words for the others', () => {
    expect(keyNames('', { ...none, upArrow: true })).toEqual(['up'])
    expect(keyNames('d', { ...none, ctrl: true })).toEqual(['^d'])
    expect(keyNames('', { ...none, tab: true, shift: true })).toEqual(['shift-tab'])
    // Terminals send DEL for the backspace key.
    expect(keyNames('', { ...none, delete: true })).toEqual(['backspace'])
    expect(keyNames('q', { ...none, meta: true })).toEqual([])
  })
})

describe('moving', () => {
  it('stays within the rows', () => {
    expect(view(stateAfter(['k'])).selected).toBe(0)
    expect(view(stateAfter(['j', 'down', 'up'])).selected).toBe(1)
    expect(view(stateAfter(['G', 'j'])).selected).toBe(29)
    expect(view(stateAfter(['G', 'g'])).selected).toBe(0)
    expect(view(stateAfter(['^d', '^d', 'pageup'])).selected).toBe(10)
  })

  it('is no new state when nothing moves', () => {
    const state = firstState('overview')
    for (const key of ['k', 'g', '^u', 'x', 'escape', '9'])
      expect(press(state, key, around).state).toBe(state)
  })

  it('goes around the screens, and to one by its number', () => {
    expect(stateAfter(['l']).screen).toBe('enrollments')
    expect(stateAfter(['h']).screen).toBe('courses')
    expect(stateAfter(['tab', 'tab', 'tab', 'tab']).screen).toBe('overview')
    expect(stateAfter(['3']).screen).toBe('funnel')
    expect(stateAfter(['7']).screen).toBe('overview')
  })

  it('remembers the row of each screen', () => {
    const state = stateAfter(['j', 'j', '2', 'j'])
    expect(view(state).selected).toBe(1)
    expect(view(stateAfter(['1'], state)).selected).toBe(2)
  })
})

describe('opening', () => {
  it('shows the row where its screen says, and goes back to it', () => {
    const opened = stateAfter(['j', 'j', 'enter'])
    expect(opened.screen).toBe('courses')
    expect(view(opened)).toMatchObject({ opened: 'c2', selected: 0 })
    const back = stateAfter(['escape'], opened)
    expect(back.screen).toBe('overview')
    expect(view(back)).toMatchObject({ opened: undefined, selected: 2 })
    expect(view(stateAfter(['4'], back)).opened).toBe(undefined)
  })

  it('stays on a screen that shows its own rows, with its filter after it', () => {
    const opened = stateAfter(['4', '/', 'c', 'enter', 'j', 'enter'])
    expect(view(opened)).toMatchObject({ opened: 'c1', filter: { text: '' } })
    expect(view(stateAfter(['escape'], opened))).toMatchObject({
      opened: undefined,
      selected: 1,
      filter: { text: 'c' },
    })
  })

  it('does nothing for rows without a key, and none twice', () => {
    const nameless = { ...around, rows: [{ key: undefined, cells: ['x'] }] }
    const state = firstState('courses')
    expect(press(state, 'enter', nameless).state).toBe(state)
    const opened = stateAfter(['enter'], state)
    expect(press(opened, 'enter', around).state).toBe(opened)
  })
})

describe('filtering', () => {
  it('follows what is typed; Enter keeps it, Esc takes it away', () => {
    const typing = stateAfter(['j', '/', 's', 'q', 'x', 'backspace'])
    expect(typing.mode).toBe('filter')
    expect(view(typing)).toMatchObject({ filter: { text: 'sq', isInverted: false }, selected: 0 })
    const kept = stateAfter(['enter'], typing)
    expect(kept.mode).toBe('browse')
    expect(view(kept).filter.text).toBe('sq')
    expect(view(stateAfter(['escape'], kept)).filter.text).toBe('')
    expect(view(stateAfter(['escape'], typing))).toMatchObject({ filter: { text: '' } })
  })

  it('is turned round by !', () => {
    expect(view(stateAfter(['/', '!', 'a'])).filter).toEqual({ text: 'a', isInverted: true })
    expect(stateAfter(['enter', '/'], stateAfter(['/', '!', 'a'])).input).toBe('!a')
  })

  it('takes the letters of commands as text', () => {
    expect(view(stateAfter(['/', 'q', '1', '?', 'j'])).filter.text).toBe('q1?j')
    expect(view(stateAfter(['/', 'a', '^u'])).filter.text).toBe('')
  })
})

describe('sorting', () => {
  it('goes through the columns, largest first, and back to the report as it is', () => {
    expect(view(stateAfter(['s'])).sort).toEqual({ column: 0, isDescending: true })
    expect(view(stateAfter(['s', 's', 'S'])).sort).toEqual({ column: 1, isDescending: false })
    expect(view(stateAfter(['s', 's', 's'])).sort).toBe(undefined)
    expect(view(stateAfter(['S'])).sort).toBe(undefined)
  })

  it('does nothing without columns', () => {
    const state = firstState('overview')
    expect(press(state, 's', { ...around, columns: [] }).state).toBe(state)
  })
})

describe('the rest of a view', () => {
  it('is the same on all screens but for the style', () => {
    const state = stateAfter(['t', 'c', 'v', '2'])
    expect(view(state)).toMatchObject({ days: 90, isCompared: true, style: 0 })
    expect(view(stateAfter(['1'], state)).style).toBe(1)
    expect(view(stateAfter(['t', 't', 't', 't'])).days).toBe(28)
  })
})

describe('the palette', () => {
  it('finds by words anywhere, beginnings first', () => {
    expect(matching(entries, 'sql in').map(({ label }) => label)).toEqual(['Intro to SQL'])
    expect(matching(entries, 'o').map(({ label }) => label)[0]).toBe('overview')
    expect(matching(entries, '')).toHaveLength(entries.length)
  })

  it('goes to a screen, opens a course, runs a command', () => {
    expect(stateAfter([':', 'f', 'u', 'n', 'enter']).screen).toBe('funnel')
    expect(view(stateAfter([':', 's', 'q', 'l', 'enter'])).opened).toBe('sql')
    expect(stateAfter([':', 'p', 'a', 'u', 'enter']).isPaused).toBe(true)
    expect(stateAfter([':', 'down', 'down', 'up', 'enter']).screen).toBe('enrollments')
  })

  it('goes back from a course to where the reader was', () => {
    const state = stateAfter(['3', 'j', ':', 's', 'q', 'l', 'enter', 'escape'])
    expect(state.screen).toBe('funnel')
    expect(view(state).selected).toBe(1)
  })

  it('stays open when nothing is called so, and closes with Esc', () => {
    expect(stateAfter([':', 'x', 'x', 'enter']).mode).toBe('palette')
    expect(stateAfter([':', 'q', 'escape']).mode).toBe('browse')
  })
})

describe('leaving', () => {
  it('is asked for with q, and with Ctrl-C from everywhere', () => {
    expect(press(firstState('overview'), 'q', around).effect).toBe('quit')
    for (const mode of [[], ['/'], [':'], ['?']]) {
      expect(press(stateAfter(mode), '^c', around).effect).toBe('interrupt')
      expect(press(stateAfter(mode), '^z', around).effect).toBe('suspend')
    }
  })

  it('is not what q does in the help, which it closes', () => {
    expect(press(stateAfter(['?', 'j']), 'q', around)).toMatchObject({ state: { mode: 'browse' } })
    expect(press(stateAfter(['?']), 'q', around).effect).toBe(undefined)
  })
})
