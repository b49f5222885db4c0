import { describe, expect, it } from 'vitest'
import { safeJson, safeLines, safeText } from './safe-text.ts'

const ACTED_ON =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never be printed
  /[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u

/** A small deterministic generator (mulberry32), so that a failing case can be replayed by its number. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const ATTACKS = [
  '\x1b[2J\x1b[H', // clears the screen
  '\x1b]0;owned\x07', // sets the title
  '\x1b]52;c;cm0gLXJm\x07', // writes the clipboard
  '\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\', // a link
  '\x1b[8mhidden\x1b[0m', // concealed text
  '\x9b31mred', // 8-bit CSI
  '\x9d0;title\x9c', // 8-bit OSC
  '\x90q#0~\x9c', // sixel
  '\x1bP$q"p\x1b\\', // DECRQSS: answered on standard input
  '\x1b[6n', // asks for the cursor's place
  '\x1b[?1049h', // alternate screen
  '\x1b[5i', // media copy: prints
  '\x1bc', // reset
  '\x0e\x0f', // character set shifts
  '\x05', // answerback
  '\r100.0', // overwrites the line's start
  '1\x080', // backspace
  '\u202egnp.exe\u202c', // right-to-left override
  '\u2066\u2067\u2069',
  'pass\u200bword', // zero width
  '\ufeffBOM',
  'a\u2028b\u2029c',
  '\u{e0041}\u{e0042}', // tags: hidden ASCII
  '\ud800', // a lone surrogate
  '\u0000',
]

/** 200 hostile texts: attacks cut, joined and buried in ordinary text. */
function hostileTexts(): string[] {
  const random = randomFrom(7)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  return Array.from({ length: 200 }, () => {
    let text = ''
    for (let part = 0; part < 1 + random() * 4; part++) {
      const attack = pick(ATTACKS)
      text +=
        pick(['', 'Intro to SQL ', 'Größe ', '東京', '🙂']) +
        attack.slice(0, 1 + Math.floor(random() * attack.length))
    }
    return text
  })
}

describe('safeText', () => {
  it.each(hostileTexts().map((text, number) => [number, text]))('disarms hostile text %d', (_, text) => {
    const safe = safeText(text)
    expect(safe).not.toMatch(ACTED_ON)
    expect(safe.isWellFormed()).toBe(true)
    // Doing it twice changes nothing more.
    expect(safeText(safe)).toBe(safe)
    expect(safeLines(text).replace(/[\n\t]|\r\n/g, '')).not.toMatch(ACTED_ON)
  })

  it('disarms every control, bidirectional and invisible character on its own and inside a word', () => {
    const all = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code))
    const missed = all.filter((character) => ACTED_ON.test(safeText(character) + safeText(`a${character}b`)))
    expect(missed).toEqual([])
  })

  it.each([
    'Intro to SQL',
    'Größe – naïve café',
    '東京大学 العربية עברית',
    '👩‍👩‍👧 🏳️‍🌈 ❤️ 👍🏽',
    'می‌خواهم', // Persian: a non-joiner inside a word
    'क्‍ष',
    '\ufffd',
  ])('leaves %s as it is', (text) => {
    expect(safeText(text)).toBe(text)
  })

  it('shows what was there', () => {
    expect(safeText('a\x1b[31mb\nc\td\re\x07\u202ef')).toBe('a\\e[31mb\\nc\\td\\re\\x07\\u{202e}f')
  })

  it('escapes joiners that hide in Latin text', () => {
    expect(safeText('pay\u200dpal')).toBe('pay\\u{200d}pal')
  })
})

it('shows marks that pile up on one letter, and leaves those that languages need', () => {
  const storm = `Z${'\u0351'.repeat(40)}`
  expect(safeText(storm)).toBe(`Z${'\u0351'.repeat(8)}${'\\u{351}'.repeat(32)}`)
  expect(safeText(safeText(storm))).toBe(safeText(storm))
  const written = ['בְּרֵאשִׁ֖ית', 'ཧྐྵྨླྺྼྻྂ', 'Việt', 'क्ष्म्य']
  expect(written.map(safeText)).toEqual(written)
})

it.each(hostileTexts().map((text, number) => [number, text]))(
  'safeJson disarms hostile text %d and changes no meaning',
  (_, text) => {
    const value = { [text]: [text, 'क्‍ष 👩‍👩‍👧'] }
    for (const indent of [0, 2]) {
      const json = safeJson(JSON.stringify(value, null, indent))
      expect(json.replaceAll('\n', '')).not.toMatch(ACTED_ON)
      expect(json).toContain('क्‍ष 👩‍👩‍👧')
      expect(JSON.parse(json)).toEqual(value)
    }
  },
)

it('safeLines keeps line ends and tabs only', () => {
  expect(safeLines('a\tb\r\nc\nd\re\x1b[2J')).toBe('a\tb\r\nc\nd\\re\\e[2J')
})
