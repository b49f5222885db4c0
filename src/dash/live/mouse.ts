/** The mouse of a terminal, in the encoding that all of today's know: SGR (xterm's 1006), with buttons and wheel (1000). */

/** The left button at a cell, counted from 0, or a notch of the wheel. */
export type MouseEvent =
  | { readonly kind: 'click'; readonly column: number; readonly row: number }
  | { readonly kind: 'wheel'; readonly isDown: boolean }

/** Asks the terminal for the mouse, and gives it back. */
export const MOUSE_ON = '\x1b[?1000h\x1b[?1006h'
export const MOUSE_OFF = '\x1b[?1006l\x1b[?1000l'

const REPORT = new RegExp(`${'\x1b'}\\[<(\\d+);(\\d+);(\\d+)([Mm])`, 'g')
const BEGUN = new RegExp(`${'\x1b'}(\\[(<[\\d;]*)?)?$`)

/** Answers what the mouse did in a piece of input; a report may be cut in two by where pieces end. */
export function mouseReader(): (input: string) => readonly MouseEvent[] {
  let begun = ''
  return (input) => {
    const text = begun + input
    begun = BEGUN.exec(text)?.[0] ?? ''
    return [...text.matchAll(REPORT)].flatMap(([, button, column, row, end]) =>
      eventOf(Number(button), Number(column) - 1, Number(row) - 1, end === 'M'),
    )
  }
}

/** Other buttons, releases and what is held with Ctrl, Alt or Shift do nothing. */
function eventOf(button: number, column: number, row: number, isPressed: boolean): MouseEvent[] {
  if (!isPressed) return []
  if (button === 0) return [{ kind: 'click', column, row }]
  return button === 64 || button === 65 ? [{ kind: 'wheel', isDown: button === 65 }] : []
}
