/** Colours by tone. All are drawn on the terminal's own background. */

import { ANSI_16, type Theme } from '../../charts/frame.ts'
import type { Config } from '../../config.ts'

type ThemeName = Config['dash']['theme']

const THEMES: Readonly<Record<ThemeName, Theme>> = {
  /** The terminal's own sixteen colours. */
  ansi: ANSI_16,
  /** For dark backgrounds, from the 256 colours: at least 7:1 on black. */
  dark: {
    plain: '',
    muted: '38;5;248',
    strong: '1',
    accent: '38;5;80',
    good: '38;5;114',
    bad: '38;5;210',
    warn: '38;5;221',
  },
  /** For light backgrounds: at least 4.5:1 on white. */
  light: {
    plain: '',
    muted: '38;5;241',
    strong: '1',
    accent: '38;5;24',
    good: '38;5;22',
    bad: '38;5;124',
    warn: '38;5;94',
  },
  /** Nothing is dim, and what matters is bold as well. */
  'high-contrast': {
    plain: '',
    muted: '',
    strong: '1',
    accent: '1;96',
    good: '1;92',
    bad: '1;91',
    warn: '1;93',
  },
  /** No colour at all; weight and signs tell. */
  mono: { plain: '', muted: '2', strong: '1', accent: '1', good: '', bad: '1', warn: '1' },
}

/** Who wants no colour (`NO_COLOR`, `--no-color`) has the mono theme, whatever else is configured. */
export function themeFor(name: ThemeName, hasColor: boolean): Theme {
  return THEMES[hasColor ? name : 'mono']
}
