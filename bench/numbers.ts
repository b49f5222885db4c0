/** Of an even count the upper one. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** Thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** As a table of Markdown; the first row is its head. */
export function markdown(rows: readonly (readonly (string | number)[])[]): string {
  const [head = [], ...others] = rows
  return [head, head.map(() => '---'), ...others].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
