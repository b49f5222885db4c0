/** What is around a screen: header, footer, help, palette. */

import { clipText, ellipsis, fitText, type Line, lineWidth, span, widest } from '../../charts/frame.ts'
import { textWidth } from '../../text-width.ts'
import type { Click, Frame, Glyphs, Size, Tone } from '../../types.ts'
import type { Screen } from '../screen.ts'
import type { Connection } from './connection.ts'
import { type KeyBinding, keyLabel } from './keys.ts'
import { filterInput, type LiveState, matching, type PaletteEntry, viewOf } from './state.ts'

// ── header ────────────────────────────────────────────────────────────────────────────────────────────────

export function headerLine(
  screens: readonly Screen[],
  shown: string,
  connection: Connection,
  { width, glyphs }: { readonly width: number; readonly glyphs: Glyphs },
): Line {
  const status = connectionLine(connection, glyphs)
  const room = width - 1 - lineWidth(status) - 2
  const left: Line = [span(' '), span('lpa', 'strong'), ...tabs(screens, shown, room - 4, glyphs)]
  const gap = ' '.repeat(Math.max(1, width - 1 - lineWidth(left) - lineWidth(status)))
  return [...left, span(gap), ...status]
}

/** Numbers and names of the screens; where there is no room the shown one and those after it. */
function tabs(screens: readonly Screen[], shown: string, room: number, glyphs: Glyphs): Line {
  const at = Math.max(
    0,
    screens.findIndex(({ name }) => name === shown),
  )
  const mark = glyphs === 'ascii' ? '>' : '›'
  const tab = (screen: Screen, title: string): Line[number] => {
    const isShown = screen.name === shown
    return span(` ${isShown ? mark : ' '}${screen.number} ${title}`, isShown ? 'accent' : 'muted', {
      ...{ kind: 'key', key: `${screen.number}` },
    })
  }
  const long = screens.map((screen) => tab(screen, screen.title))
  if (lineWidth(long) <= room) return long
  const short = screens.map((screen) => tab(screen, screen.shortTitle))
  if (lineWidth(short) <= room) return short
  const kept: Line[number][] = []
  // The shown one is always there, those before it only where all fit.
  const start = lineWidth(short.slice(0, at + 1)) + 2 <= room ? 0 : at
  for (const one of short.slice(start)) {
    if (lineWidth([...kept, one]) + 2 > room) break
    kept.push(one)
  }
  return [...kept, span(` ${ellipsis(glyphs)}`, 'muted')]
}

function connectionLine(connection: Connection, glyphs: Glyphs): Line {
  const dot = glyphs === 'ascii' ? '*' : '●'
  switch (connection.kind) {
    case 'opening':
      return [
        span(`${dot} opening${connection.version === undefined ? '' : ` v${connection.version}`}`, 'muted'),
      ]
    case 'live':
      return [
        span(`${dot} live`, 'good'),
        span(` v${connection.version} ${clock(connection.sinceMs)}`, 'muted'),
      ]
    case 'paused':
      return [
        span(`${dot} paused`, 'accent'),
        span(` v${connection.version} ${clock(connection.sinceMs)}`, 'muted'),
      ]
    case 'stale':
      return [span(`${dot} stale ${age(connection.ageMs)}`, 'warn'), span(` v${connection.version}`, 'muted')]
    case 'disconnected':
      return [
        span(`${dot} disconnected ${age(connection.ageMs)}`, 'bad'),
        span(connection.version === '' ? '' : ` v${connection.version}`, 'muted'),
      ]
  }
}

/** Time of day: an age would change, and be written, though nothing happens. */
function clock(ms: number): string {
  const date = new Date(ms)
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** Coarse, so that it is written seldom: `20s`, `3m`, `2h`. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds - (seconds % 10)}s`
  return seconds < 3600 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3600)}h`
}

// ── footer ────────────────────────────────────────────────────────────────────────────────────────────────

export interface Notice {
  readonly text: string
  readonly tone: Tone
}

export function footerLine(
  state: LiveState,
  bindings: readonly KeyBinding[],
  notice: Notice | undefined,
  { width, glyphs, period }: { readonly width: number; readonly glyphs: Glyphs; readonly period: string },
): Line {
  if (state.mode === 'filter') return filterLine(state, width, glyphs)
  if (notice !== undefined) {
    return [span(' '), span(clipText(notice.text, width - 2, ellipsis(glyphs)), notice.tone)]
  }
  if (state.mode === 'palette') {
    return hintLine([], [hint('enter', 'go'), hint('up down', 'choose'), hint('esc', 'close')], width)
  }
  if (state.mode === 'help') return hintLine([], [hint('j k', 'scroll'), hint('esc', 'close')], width)
  const view = viewOf(state, glyphs)
  const hasRange = bindings.some(({ command }) => command === 'range')
  const told: Line = [
    ...(hasRange
      ? [span(`${period || `${state.days} days`}${state.isCompared ? ', compared' : ''}`, 'strong')]
      : []),
    ...(view.filter.text === ''
      ? []
      : [span('  '), span(clipText(`/${filterInput(view)}`, 20, ellipsis(glyphs)), 'warn')]),
  ]
  const hints = bindings.flatMap(({ footer }, index) => (footer ? [{ ...footer, index }] : []))
  let room = width - 2 - lineWidth(told)
  const kept = hints
    .toSorted((a, b) => a.rank - b.rank)
    .filter(({ label, index }) => {
      room -= 3 + textWidth(keyLabel(bindings[index] as KeyBinding, glyphs)) + label.length
      return room >= 0
    })
  const shown = hints.filter((hint) => kept.includes(hint))
  return hintLine(
    told,
    shown.map(({ label, index }) => {
      const binding = bindings[index] as KeyBinding
      const [key = ''] = binding.keys
      // `1-7` is no key that could be pressed.
      return hint(
        keyLabel(binding, glyphs),
        label,
        binding.command === 'screen' ? undefined : { kind: 'key', key },
      )
    }),
    width,
  )
}

/** A key and what it does. */
function hint(key: string, label: string, click?: Click): Line {
  return [span(` ${key}`, 'plain', click), span(` ${label} `, 'muted', click)]
}

function hintLine(told: Line, hints: readonly Line[], width: number): Line {
  const line: Line = [...(told.length === 0 ? [] : [span(' '), ...told, span(' ')]), ...hints.flat()]
  return lineWidth(line) <= width ? line : told
}

function filterLine({ input }: LiveState, width: number, glyphs: Glyphs): Line {
  const hint = '  enter keep  esc clear'
  const isRoomy = textWidth(input) + hint.length + 4 < width
  return [
    span(' /', 'accent'),
    span(endOf(input, width - 4), 'strong'),
    span(glyphs === 'ascii' ? '_' : '▏', 'accent'),
    ...(isRoomy ? [span(hint, 'muted')] : []),
  ]
}

/** The end of what is typed, which is where it goes on. */
function endOf(text: string, width: number): string {
  let shown = text
  while (textWidth(shown) > width) shown = Array.from(shown).slice(1).join('')
  return shown
}

// ── in place of the screen ────────────────────────────────────────────────────────────────────────────────

/** Keys that the help shows at once in a window of this size: header, footer and three lines of its own are around them. */
export function helpRows({ height }: Pick<Size, 'height'>): number {
  return Math.max(1, height - 5)
}

export function helpFrame(state: LiveState, bindings: readonly KeyBinding[], { height }: Size): Frame {
  const lines = bindings.map(
    ({ shown, help }): Line => [
      span('  '),
      span(fitText(shown, widest(bindings.map((one) => one.shown))), 'accent'),
      span(`  ${help}`),
    ],
  )
  const room = helpRows({ height: height + 2 })
  const start = Math.max(0, Math.min(state.choice, lines.length - room))
  return [[], [span('  '), span('Keys', 'strong')], [], ...lines.slice(start, start + room)]
}

export function paletteFrame(
  { input, choice }: LiveState,
  entries: readonly PaletteEntry[],
  { width, height }: Size,
  glyphs: Glyphs,
): Frame {
  const found = matching(entries, input)
  const room = Math.max(1, height - 3)
  const start = Math.max(0, Math.min(choice - (room >> 1), found.length - room))
  const cursor = glyphs === 'ascii' ? '_' : '▏'
  const mark = glyphs === 'ascii' ? '>' : '›'
  const lines = found.slice(start, start + room).map(({ label }, index): Line => {
    const isChosen = start + index === choice
    const text = clipText(label, width - 4, ellipsis(glyphs))
    const click = { kind: 'choice', index: start + index } as const
    return [
      span(isChosen ? `${mark} ` : '  ', 'accent', click),
      span(text, isChosen ? 'strong' : 'plain', click),
    ]
  })
  return [
    [],
    [span('  :', 'accent'), span(endOf(input, width - 5), 'strong'), span(cursor, 'accent')],
    [],
    ...(lines.length > 0 ? lines : [[span('  Nothing is called that.', 'muted')]]),
  ]
}
