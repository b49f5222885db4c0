/** The whole window as lines, and the same as sentences. */

import { clipFrame, span } from '../../charts/frame.ts'
import type { Frame, Size } from '../../types.ts'
import { tooSmall } from '../once.ts'
import { periodText } from '../period.ts'
import type { Panels, Screen, View } from '../screen.ts'
import { footerLine, headerLine, helpFrame, type Notice, paletteFrame } from './chrome.ts'
import type { Connection } from './connection.ts'
import type { KeyBinding } from './keys.ts'
import { type LiveState, matching, type PaletteEntry } from './state.ts'

export interface Picture {
  readonly screens: readonly Screen[]
  readonly screen: Screen
  readonly state: LiveState
  readonly view: View
  readonly panels: Panels
  readonly connection: Connection
  readonly bindings: readonly KeyBinding[]
  readonly entries: readonly PaletteEntry[]
  readonly notice: Notice | undefined
}

/**
 * Exactly `size.height` lines of at most `size.width` cells. `drawBody` draws those of the screen, or has them already.
 */
export function drawPicture(picture: Picture, size: Size, drawBody: (size: Size) => Frame): Frame {
  const small = tooSmall(size)
  if (small !== undefined) return filled([[span(small, 'warn')]], size)
  const { screens, state, connection, bindings, notice, panels, view } = picture
  const { glyphs } = view
  const inner = { width: size.width, height: size.height - 2 }
  const line = { width: size.width, height: 1 }
  const footer = { ...line, glyphs, period: periodText(panels, view) }
  const over = frameOver(picture, inner)
  return [
    ...filled([headerLine(screens, state.screen, connection, { ...line, glyphs })], line),
    ...(over === undefined ? drawBody(inner) : filled(over, inner)),
    ...filled([footerLine(state, bindings, notice, footer)], line),
  ]
}

/** What is shown in place of the screen, if something is. */
function frameOver({ state, bindings, entries, view }: Picture, size: Size): Frame | undefined {
  if (state.mode === 'help') return helpFrame(state, bindings, size)
  if (state.mode === 'palette') return paletteFrame(state, entries, size, view.glyphs)
  return undefined
}

/** Exactly as many lines as there is room for. */
export function filled(frame: Frame, size: Size): Frame {
  const clipped = clipFrame(frame, size)
  return Array.from({ length: size.height }, (_, row) => clipped[row] ?? [])
}

/** For who listens: one sentence a line. */
export function describePicture(picture: Picture): readonly string[] {
  const { screen, state, connection, bindings, entries, notice, panels, view } = picture
  const told = notice === undefined ? [] : [notice.text]
  switch (state.mode) {
    case 'help':
      return ['Keys.', ...bindings.map(({ shown, help }) => `${shown}: ${help}.`), 'Escape closes this.']
    case 'palette': {
      const chosen = matching(entries, state.input)[state.choice]
      return [`Go to: ${state.input}`, ...(chosen ? [`Chosen: ${chosen.label}.`] : [])]
    }
    case 'filter':
      return [`Filter: ${state.input}`, ...screen.describe(panels, view)]
    case 'browse':
      return [
        `Screen ${screen.number} of ${picture.screens.length}: ${screen.title}.`,
        connectionSentence(connection),
        ...told,
        ...screen.describe(panels, view),
        'Question mark: the keys.',
      ]
  }
}

function connectionSentence(connection: Connection): string {
  switch (connection.kind) {
    case 'opening':
      return connection.version === undefined
        ? 'The warehouse is being opened.'
        : `The warehouse is being opened. Version ${connection.version} is shown, as it was looked at last.`
    case 'live':
      return `Live, version ${connection.version}.`
    case 'paused':
      return `Paused at version ${connection.version}.`
    case 'stale':
      return `Version ${connection.version} is shown, which is no longer the newest.`
    case 'disconnected':
      return `Disconnected, version ${connection.version} is shown. ${connection.reason}`
  }
}
