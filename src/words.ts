/** Words from deep inside a run, such as of a file that others may read: the command in front tells them. */

type Tell = (first: string, ...more: readonly string[]) => void

interface Listener {
  /** What is wrong and does not stop the run. */
  readonly warn: Tell
  /** What is good to know, unless the run is to be quiet. */
  readonly note: Tell
}

let listener: Listener | undefined

export function listenForWords(told: Listener): void {
  listener = told
}

/** Told once for each text; nobody is told where no command listens, as in the dashboard's thread. */
export const warn: Tell = (...words) => tellOnce('warn', ...words)
export const note: Tell = (...words) => tellOnce('note', ...words)

const told = new Set<string>()

function tellOnce(kind: keyof Listener, first: string, ...more: readonly string[]): void {
  if (told.has(first)) return
  told.add(first)
  listener?.[kind](first, ...more)
}
