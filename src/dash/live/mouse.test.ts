import { expect, it } from 'vitest'
import { mouseReader } from './mouse.ts'

it('reads clicks of the left button and the wheel, from 0, and nothing else', () => {
  const read = mouseReader()
  expect(read('\x1b[<0;1;1M\x1b[<0;1;1m')).toEqual([{ kind: 'click', column: 0, row: 0 }])
  expect(read('j\x1b[<64;10;5M\x1b[<65;10;5Mk')).toEqual([
    { kind: 'wheel', isDown: false },
    { kind: 'wheel', isDown: true },
  ])
  // Middle and right button, Ctrl with the left one, a move while it is held, a key, typed text.
  expect(read('\x1b[<1;2;2M\x1b[<2;2;2M\x1b[<16;2;2M\x1b[<32;2;2M\x1b[A[<0;3;3M')).toEqual([])
})

it('reads a report that comes in pieces, wherever it is cut', () => {
  const report = '\x1b[<0;120;40M'
  for (let cut = 1; cut < report.length; cut += 1) {
    const read = mouseReader()
    expect([...read(report.slice(0, cut)), ...read(report.slice(cut))]).toEqual([
      { kind: 'click', column: 119, row: 39 },
    ])
  }
})
