/** About 200 texts that attack a terminal or its reader, by what they try. */

const ESC = '\x1b'
const BEL = '\x07'
const ST = `${ESC}\\`

/** A sequence in its 7-bit form and in its 8-bit form (C1 controls, here as the characters U+0080 to U+009F). */
function bothForms(letter: string, bodies: readonly string[], end: readonly string[] = ['']): string[] {
  const c1 = String.fromCharCode(letter.charCodeAt(0) + 0x40)
  return bodies.flatMap((body) => [
    ...end.map((terminator) => `${ESC}${letter}${body}${terminator}`),
    `${c1}${body}${end[0] === '' ? '' : '\u009c'}`,
  ])
}

const csi = (...bodies: readonly string[]) => bothForms('[', bodies)
const osc = (...bodies: readonly string[]) => bothForms(']', bodies, [BEL, ST])
const dcs = (...bodies: readonly string[]) => bothForms('P', bodies, [ST])

/** `Owned!` and `rm -rf ~` in base64, as OSC 52 takes them. */
const CLIP = 'cm0gLXJmIH4='

/** Lines that only lpa may write: a name with a line end in it must not. */
export const FORGED = ['Error: forged', 'lpa load: 7 files'] as const

/** Every family with its texts; a text is one cell, name or argument. */
export const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  cursor: csi('H', '5;5H', '3A', '2B', '4C', '9D', 'G', 'd', 's', 'u', '2E', '2F', '?25l', '5 q'),
  erase: csi('2J', '3J', '1J', 'K', '2K', '4P', '3X', '2L', '2M', '?2J'),
  scroll: [...csi('2;5r', '3S', '2T'), `${ESC}M`, `${ESC}D`, `${ESC}E`, '\u0084', '\u0085', '\u008d'],
  modes: csi('4h', '20h', '?1h', '?5h', '?6h', '?7l', '?66h', '?45h', '?2004h', '?2026h', '!p', '?1004h'),
  'alternate screen': csi('?1049h', '?47h', '?1047h'),
  mouse: csi('?9h', '?1000h', '?1002h', '?1003h', '?1006h'),
  colour: csi('8m', '31m', '7m', '38;2;0;0;0m', '>4;2m'),
  window: csi('8;10;10t', '22;0t', '14t', '21t', '5i', '>1u'),
  reset: [`${ESC}c`, `${ESC}#8`, `${ESC}7`, `${ESC}8`, `${ESC}=`, `${ESC}>`, `${ESC}l`],
  query: csi('c', '>c', '=c', '5n', '6n', '?6n', '?15n', '?u', '?2004$p', '4$p', '>q', 'x', '18t'),
  title: osc('0;owned', '1;owned', '2;owned', 'l;owned', 'L;owned'),
  clipboard: osc(`52;c;${CLIP}`, '52;c;?', `52;p;${CLIP}`),
  hyperlink: osc('8;;https://evil.example', '8;id=1;file:///etc/passwd'),
  notification: osc('9;owned', '777;notify;owned;owned', '99;i=1;owned'),
  palette: osc('4;1;#000000', '4;1;?', '104', '10;?', '11;#000000', '12;?', '110'),
  folder: osc('7;file://evil.example/etc', '133;A', '633;E;rm', '1337;CurrentDir=/etc'),
  image: [
    ...osc('1337;File=inline=1:AAAA'),
    ...dcs('q#0;2;0;0;0#0~~@@vv', '0;1q"1;1;8;8#0~'),
    `${ESC}_Gf=24,s=1,v=1;AAAA${ST}`,
  ],
  'device string': dcs('$q"p', '$qm', '+q544e', '1$r0m', '=1s', 'tmux;owned'),
  'other strings': [
    ...bothForms('_', ['owned'], [ST]),
    ...bothForms('^', ['owned'], [ST]),
    ...bothForms('X', ['owned'], [ST]),
    `${ESC}kowned${ST}`,
  ],
  'never ended': [
    `x${ESC}`,
    `x${ESC}[`,
    `x${ESC}[3`,
    `x${ESC}]0;owned`,
    `x${ESC}P`,
    'x\u009b',
    'x\u009d2;owned',
  ],
  split: [`[2J${ESC}`, `]0;owned${BEL}`, `[31m${ESC}[`, `2J${ESC}]`, `0;owned${BEL}${ESC}`],
  'character set': [
    '\x0e',
    '\x0f',
    `${ESC}(0`,
    `${ESC})0`,
    `${ESC}n`,
    `${ESC}o`,
    `${ESC}N`,
    `${ESC}%G`,
    '\u008e',
    '\u008f',
  ],
  control: [
    BEL,
    '1\b0',
    '\x0b',
    '\x0c',
    '\x05',
    '\x7f',
    '\x11',
    '\x13',
    '\x18',
    '\x1a',
    '\x1c',
    '\x00',
    '\x04',
    '\x16',
  ],
  line: ['9\r1', `x\n${FORGED[0]}`, `x\n${FORGED[1]} (0.1 s)`, '\u2028', '\u2029', '\u0085'],
  bidi: [
    '\u202egnp.exe',
    '\u202d',
    '\u202a',
    '\u202b',
    '\u202c',
    '\u2066',
    '\u2067',
    '\u2068',
    '\u2069',
    '\u200e',
    '\u200f',
    '\u061c',
  ],
  invisible: [
    ...[
      'pass\u200bword',
      'pay\u200cpal',
      'pay\u200dpal',
      '\u2060',
      '\ufeff',
      '\u00ad',
      '\u034f',
      '\u115f',
      '\u3164',
    ],
    ...['\u180e', '\u2061', '\u2064', '\u206a', '\ufff9a\ufffab\ufffb', '\ufffe', '\u{1d173}'],
  ],
  selector: ['a\ufe0f', 'b\ufe00', 'c\u{e0100}', '\ufe0e', 'a\u180b'],
  tags: ['\u{e0041}\u{e0042}', '\u{e0001}', '\u{e007f}', 'x\u{e0020}'],
  'combining storm': [`Z${'\u0351'.repeat(60)}`, '\u0336'.repeat(40), `H${'\u0489\u0300\u0310'.repeat(20)}`],
}

/** Terminals show these as they are; the layout around them must hold. */
const UNWIELDY = [
  ...['東京大学'.repeat(60), '👩‍👩‍👧'.repeat(50), 'ﷺ'.repeat(80), 'x'.repeat(500)],
  ...['\r\n', '\t\t', '<b>|*_`[x](y)', '=cmd|"/c calc"!A1'],
]

export const TEXTS: readonly string[] = [...Object.values(FAMILIES).flat(), ...UNWIELDY]
