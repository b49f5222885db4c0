// What a terminal may act on, and what makes text look like other text: C0, DEL and C1 controls (U+009B starts
// an escape sequence in 8-bit terminals), line separators, and all that Unicode says is not shown: bidirectional
// marks, zero-width characters, hidden tags; lone surrogates and noncharacters. Of marks on one letter the ninth and
// all after it: terminals pile them over the lines around.
const DANGEROUS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is this file's purpose
  /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\p{Default_Ignorable_Code_Point}\p{Cs}\p{Noncharacter_Code_Point}]|(?<=\p{M}{8})\p{M}/gu

// Most text is this, and testing it is several times faster.
const PLAIN = /^[\x20-\x7e]*$/

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x1b': '\\e' }

/**
 * Text from data, safe to print: what a terminal would act on is shown as a visible escape
 * (`\e`, `\n`, `\x07`, `\u{202e}`). All other text is returned as it is.
 */
export function safeText(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replace(DANGEROUS, (character, offset: number) =>
    belongs(text, character, offset) ? character : visibleEscape(character),
  )
}

/** `safeText` that lets line ends and tabs be: for CSV fields and for text that lpa laid out itself. */
export function safeLines(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replace(DANGEROUS, (character, offset: number) => {
    const laysOut =
      character === '\n' || character === '\t' || (character === '\r' && text[offset + 1] === '\n')
    return laysOut || belongs(text, character, offset) ? character : visibleEscape(character)
  })
}

/** JSON text that means the same, with all that `safeText` would show as JSON's own escapes. */
export function safeJson(json: string): string {
  if (PLAIN.test(json)) return json
  return json.replace(DANGEROUS, (character, offset: number) => {
    // JSON has control characters between its tokens only, where an escape would be wrong.
    if (character < ' ' || belongs(json, character, offset)) return character
    return character.split('').map(unitEscape).join('')
  })
}

function unitEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function visibleEscape(character: string): string {
  const named = NAMED[character]
  if (named !== undefined) return named
  const code = character.codePointAt(0) ?? 0
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** Invisible characters that are part of writing: joiners inside Persian and Indic words and emoji, emoji style. */
function belongs(text: string, character: string, offset: number): boolean {
  const before = /(.)$/su.exec(text.slice(Math.max(0, offset - 2), offset))?.[1] ?? ''
  if (character === '\ufe0e' || character === '\ufe0f') return /\p{Emoji}/u.test(before)
  if (character !== '\u200c' && character !== '\u200d') return false
  const after = /^(.)/su.exec(text.slice(offset + 1, offset + 3))?.[1] ?? ''
  return (
    (/\p{L}|\p{M}/u.test(before) && /\p{L}/u.test(after) && !/\p{Script=Latin}/u.test(before + after)) ||
    (/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u.test(before) &&
      /\p{Extended_Pictographic}/u.test(after))
  )
}
