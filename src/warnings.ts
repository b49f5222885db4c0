/** Warnings from deep inside a run, such as of a file that others may read: the command in front tells them. */

type Listener = (first: string, ...more: readonly string[]) => void

let listener: Listener | undefined

export function listenForWarnings(tell: Listener): void {
  listener = tell
}

/** Told once for each text; nobody is told where no command listens, as in the dashboard's thread. */
export function warn(first: string, ...more: readonly string[]): void {
  if (told.has(first)) return
  told.add(first)
  listener?.(first, ...more)
}

const told = new Set<string>()
