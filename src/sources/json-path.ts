/** JSON paths as mappings write them: `$.context.extensions."https://…"`, `$.parent[0].id`, `$.extensions.*`. */

/** Keys from the root. A path into an array stops at the array, which is kept whole. */
export type JsonPath = readonly string[]

const STEP = /\.(?:"((?:[^"\\]|\\.)*)"|([\w-]+)|(\*))|(\[\d+\])/y

/** @returns the keys up to the first array index or `*`, or undefined when `text` is no such path. */
export function parseJsonPath(text: string): { keys: JsonPath; isWhole: boolean } | undefined {
  if (!text.startsWith('$')) return undefined
  const keys: string[] = []
  let isWhole = true
  STEP.lastIndex = 1
  while (STEP.lastIndex < text.length) {
    const match = STEP.exec(text)
    if (!match) return undefined
    const [, quoted, plain, star, index] = match
    if (star !== undefined || index !== undefined) isWhole = false
    else if (isWhole) keys.push(quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
  }
  return { keys, isWhole }
}

/** The path in DuckDB's notation. */
export function formatJsonPath(keys: JsonPath): string {
  return `$${keys.map((key) => `."${key.replace(/["\\]/g, '\\$&')}"`).join('')}`
}

/** The path as people write it: `$.actor."odd key"`. */
export function shortJsonPath(keys: JsonPath): string {
  return formatJsonPath(keys).replace(/\."(\w+)"/g, '.$1')
}

export function isPrefix(prefix: JsonPath, path: JsonPath): boolean {
  return prefix.length <= path.length && prefix.every((key, index) => key === path[index])
}

export function isSamePath(a: JsonPath, b: JsonPath): boolean {
  return a.length === b.length && isPrefix(a, b)
}
