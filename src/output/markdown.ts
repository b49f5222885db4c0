import { safeText } from '../safe-text.ts'
import type { Column, Row } from '../types.ts'
import { cellText, isNumeric } from './cells.ts'

export function markdownHead(columns: readonly Column[]): string {
  const names = columns.map((column) => field(column.name)).join(' | ')
  const rule = columns.map((column) => (isNumeric(column) ? '--:' : '---')).join(' | ')
  return `| ${names} |\n| ${rule} |\n`
}

export function markdownRows(rows: readonly Row[]): string {
  return rows.map((row) => `| ${row.map((cell) => field(cellText(cell) ?? '')).join(' | ')} |\n`).join('')
}

/** What Markdown would read as layout, emphasis, a link or HTML is escaped. */
function field(text: string): string {
  return safeText(text).replace(/[\\`*|[\]<]/g, '\\$&')
}
