import { describe, expect, it } from 'vitest'
import { textWidth } from '../text-width.ts'
import type { Tone } from '../types.ts'
import { beside, boxed, clipFrame, clipText, fitText, frameToText, lineWidth, span } from './frame.ts'
import { glyphsFor } from './glyphs.ts'
import { shortNumber, valueTexts } from './number-text.ts'
import { zeroScale } from './scale.ts'

describe('text by its width', () => {
  it('counts cells, not characters', () => {
    expect(textWidth('線形')).toBe(4)
    expect(textWidth('e\u0301')).toBe(1)
    expect(textWidth('⣿▊╭─▲…')).toBe(6)
  })

  it('is cut between characters that belong together', () => {
    expect(clipText('線形代数', 5, '…')).toBe('線形…')
    expect(clipText('線形代数', 4, '…')).toBe('線…')
    expect(clipText('👩‍👩‍👧‍👦x', 1)).toBe('')
    expect(clipText('Algebra', 5, '~')).toBe('Alge~')
    expect(clipText('anything', 0, '…')).toBe('')
    // URLs of one place differ at their end.
    expect(clipText('https://lms.example/courses/BIO101', 15, '…')).toBe('…courses/BIO101')
  })

  it('fills its width exactly, at either side', () => {
    expect(fitText('ab', 4)).toBe('ab  ')
    expect(fitText('ab', 4, 'right')).toBe('  ab')
    expect(fitText('線形代数', 4, 'left', '…')).toBe('線… ')
  })
})

describe('frames', () => {
  it('take in safe text only', () => {
    expect(span('a\x1b[2J\u009b2J\u202e').text).toBe('a\\e[2J\\x9b2J\\u{202e}')
  })

  const frame = [[span('12345')], [span('線形', 'accent'), span('x')]]

  it('are clipped to a size', () => {
    expect(frameToText(clipFrame(frame, { width: 3, height: 2 }), { color: false })).toBe('123\n線')
    expect(clipFrame(frame, { width: 9, height: 0 })).toEqual([])
  })

  it('stand beside each other in columns', () => {
    const text = frameToText(
      beside([
        { frame, width: 6 },
        { frame: [[span('R')], [span('S')]], width: 1 },
      ]),
      { color: false },
    )
    expect(text).toBe('12345 R\n線形x S')
  })

  it('get a box with their first line in its edge', () => {
    const box = boxed([[span('Title')], [span('in')]], { width: 12, height: 4 }, 'block')
    expect(frameToText(box, { color: false })).toBe('╭ Title ───╮\n│in        │\n│          │\n╰──────────╯')
    for (const line of box) expect(lineWidth(line)).toBe(12)
  })

  it('become colour only when asked, and end every tone', () => {
    const tones: Tone[] = ['muted', 'strong', 'accent', 'good', 'bad', 'warn']
    const line = [span('a'), ...tones.map((tone) => span('b', tone)), span('   ', 'muted')]
    expect(frameToText([line], { color: false })).toBe('abbbbbb')
    expect(frameToText([line], { color: true })).toBe(
      'a\x1b[2mb\x1b[0m\x1b[1mb\x1b[0m\x1b[36mb\x1b[0m\x1b[32mb\x1b[0m\x1b[31mb\x1b[0m\x1b[33mb\x1b[0m',
    )
  })
})

describe('glyph level', () => {
  it.each([
    [{ LANG: 'de_DE.UTF-8' }, false, 'braille'],
    [{ LANG: 'C.utf8', LC_ALL: 'C' }, true, 'ascii'],
    [{ LANG: 'de_DE.ISO-8859-1' }, true, 'ascii'],
    [{ LANG: 'C.UTF-8', TERM: 'linux' }, true, 'ascii'],
    [{}, false, 'ascii'],
    [{ TERM: 'xterm-kitty' }, true, 'braille'],
    [{ WT_SESSION: '1' }, false, 'ascii'],
    [{ LANG: 'C', LPA_GLYPHS: 'block' }, true, 'block'],
    [{ LANG: 'C.UTF-8', LPA_GLYPHS: 'nonsense' }, true, 'braille'],
  ] as const)('of %o, terminal %s: %s', (env, isTTY, level) => {
    expect(glyphsFor(env, isTTY)).toBe(level)
  })
})

describe('numbers', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [0.25, '0.25'],
    [7.5, '7.5'],
    [980, '980'],
    [999.97, '1k'],
    [1234, '1.2k'],
    [14203, '14.2k'],
    [142_030, '142k'],
    [999_600, '1M'],
    [3_000_000, '3M'],
    [-1250, '-1.3k'],
    [9.99e14, '999T'],
    [1e18, '1e+18'],
    [2e-9, '2e-9'],
  ])('%d is %s', (value, text) => {
    expect(shortNumber(value)).toBe(text)
  })

  it('of a column have the same digits after the point', () => {
    expect(valueTexts([50.5, 44, null], '%')).toEqual(['50.5%', '44.0%', '-'])
    expect(valueTexts([1612, 14_203], '')).toEqual(['1612', '14.2k'])
  })
})

describe('a scale', () => {
  it.each([
    [[0, 0], 0, 1],
    [[1], 0, 1],
    [[3], 0, 4],
    [[9], 0, 10],
    [[1612], 0, 2000],
    [[0.31], 0, 0.4],
    [[-5, 3], -6, 4],
    [[-7], -8, 0],
    [[null], 0, 1],
  ])('over %o goes from %d to %d', (values, low, high) => {
    expect(zeroScale(values)).toMatchObject({ low, high })
  })

  it('places the largest doubles too', () => {
    const scale = zeroScale([1.7e308, -1.7e308])
    expect(scale.fraction(1.7e308)).toBeGreaterThan(0.9)
    expect(scale.fraction(0)).toBeCloseTo(0.5)
  })
})
