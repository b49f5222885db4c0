/**
 * SQL lives in .sql files. Engines and policies speak their engine's own statements, and the front end makes
 * statements out of a mapping: those folders are exempt.
 */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const EXEMPT = /^src\/(engines|policy|sources)\/|\.test(-support)?\.tsx?$/

/** Statements as they begin a text, with the second word that prose would not have. */
const STATEMENT = new RegExp(
  [
    String.raw`select\b[^'"\`]*?\bfrom\s+\S`,
    String.raw`with\s+\w+\s+as\s*\(`,
    String.raw`insert\s+into\s`,
    String.raw`delete\s+from\s+[\w.$"{]+\s+(where|using)\b`,
    String.raw`update\s+[\w.$"{}]+\s+set\s`,
    String.raw`merge\s+into\s`,
    String.raw`(create|drop|alter)\s+(or\s+replace\s+)?(temp\w*\s+)?(table|view|macro|schema|index)\s`,
    String.raw`(attach|detach|copy|pragma|truncate)\s+['"(\w$]+.*\b(as|to|from)\b`,
  ]
    .map((pattern) => `(?:${pattern})`)
    .join('|'),
  'gi',
)

/** A string begins; not the value in an example of a command line. */
const OPENING = /(?<!--sql )['"`]\s*$/

/** Lines at which a string literal begins with an SQL statement. */
export function sqlLines(text: string): number[] {
  const code = withoutComments(text)
  return [...code.matchAll(STATEMENT)]
    .filter((match) => OPENING.test(code.slice(0, match.index)))
    .map((match) => code.slice(0, match.index).split('\n').length)
}

/** Comments blanked, line breaks kept. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ')
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/^\s*\/\/.*$/gm, blank)
}

function main(): void {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const files = globSync('{src,commands}/**/*.{ts,tsx}', { cwd: root }).filter((file) => !EXEMPT.test(file))
  for (const file of files)
    for (const line of sqlLines(readFileSync(join(root, file), 'utf8'))) {
      console.error(`${file}:${line}: SQL belongs into a .sql file`)
      process.exitCode = 1
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
