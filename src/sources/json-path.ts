/** JSON paths as mappings write them: `$.context.extensions."https://…"`, `$.parent[0].id`, `$.extensions.*`. */

/** Keys from the root. A path into an array stops at the array, which is kept whole. */
export type JsonPath = readonly string[]

const STEP = /\.(?:"((?:[^"\\]|\\.)*)"|([\w-]+)|(\*))|(\[\d+\])/y

/** @returns the keys up to the first array index or `*`, or undefined when `text` is no such path. */
export function parseJsonPath(text: string): { keys: JsonPath; whole: boolean } | undefined {
  if (!text.startsWith('$')) return undefined
  const keys: string[] = []
  STEP.lastIndex = 1
  while (STEP.lastIndex < text.length) {
    const match = STEP.exec(text)
    if (!match) return undefined
    const [, quoted, plain, star, index] = match
    if (star !== undefined || index !== undefined) return { keys, whole: false }
    keys.push(quoted ?? plain ?? '')
  }
  return { keys, whole: true }
}

/** The path in DuckDB's notation. */
export function formatJsonPath(keys: JsonPath): string {
  return `$${keys.map((key) => `."${key.replaceAll('"', '\\"')}"`).join('')}`
}
