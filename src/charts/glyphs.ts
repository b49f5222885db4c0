import type { Glyphs } from '../types.ts'

const LEVELS: readonly Glyphs[] = ['braille', 'block', 'ascii']

/**
 * How much of Unicode to draw with: `LPA_GLYPHS`, else the locale (UTF-8 gives braille, any other ASCII).
 * Without a locale only a terminal that is known to speak UTF-8 gets more than ASCII: cron and bare containers
 * have none, and print what every viewer can show.
 */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>, isTTY: boolean): Glyphs {
  const wanted = LEVELS.find((level) => level === env.LPA_GLYPHS?.toLowerCase())
  if (wanted !== undefined) return wanted
  // The Linux console's font has neither braille nor eighth blocks.
  if (env.TERM === 'linux') return 'ascii'
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  if (locale) return /utf-?8/i.test(locale) ? 'braille' : 'ascii'
  const speaksUtf8 =
    env.WT_SESSION !== undefined ||
    /^(vscode|iTerm\.app|Apple_Terminal|WezTerm|ghostty)$/.test(env.TERM_PROGRAM ?? '') ||
    /^(xterm-kitty|alacritty|foot|xterm-ghostty)$/.test(env.TERM ?? '')
  return isTTY && speaksUtf8 ? 'braille' : 'ascii'
}
