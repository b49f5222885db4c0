/** Keys and answers of the warehouse in, lines of the window out. Knows no terminal and no thread. */

import { type Line, lineToText, spanAt, type Theme } from '../../charts/frame.ts'
import { safeText } from '../../safe-text.ts'
import type { Frame, Glyphs, Size } from '../../types.ts'
import type { Panels, Screen, TableRow, View } from '../screen.ts'
import { helpRows, type Notice } from './chrome.ts'
import { type Recall, Warehouse } from './connection.ts'
import { type Command, keysWith } from './keys.ts'
import type { FromEngine, ToEngine } from './messages.ts'
import type { MouseEvent } from './mouse.ts'
import { describePicture, drawPicture, filled, type Picture } from './picture.ts'
import {
  click,
  type Effect,
  firstState,
  type LiveState,
  MOST_TYPED,
  type PaletteEntry,
  type Pressed,
  press,
  type Surroundings,
  select,
  viewOf,
} from './state.ts'

export interface ShellOptions {
  readonly screens: readonly Screen[]
  /** Name of the first one. */
  readonly screen: string
  readonly glyphs: Glyphs
  readonly theme: Theme
  readonly size: Size
  /** Says sentences instead of drawing. */
  readonly isSpoken?: boolean
  readonly now: () => number
  readonly recall?: Recall
  readonly send: (message: ToEngine) => void
  /** Writes what is shown to a file and answers its name; none: there is no key for it. */
  readonly exportScreen?: (screen: Screen, panels: Panels, view: View) => Promise<string>
}

/** What the terminal has to do. */
export type TerminalEffect =
  | { readonly kind: 'leave'; readonly isInterrupted: boolean }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'copy'; readonly text: string }

const NOTICE_MS = 5000

export class Shell {
  readonly #options: ShellOptions
  readonly #warehouse: Warehouse
  readonly #allBindings
  #state: LiveState
  #size: Size
  #notice: (Notice & { readonly until: number }) | undefined
  #lines: readonly string[] = []
  #listener: () => void = () => {}
  /** What is shown, for clicks; nothing where sentences are. */
  #frame: Frame = []
  #body: { readonly of: readonly unknown[]; readonly frame: Frame } | undefined
  readonly #texts = new WeakMap<Line, string>()
  #rows: { readonly of: readonly unknown[]; readonly rows: readonly TableRow[] } | undefined

  constructor(options: ShellOptions) {
    this.#options = options
    this.#size = options.size
    this.#state = firstState(options.screen)
    this.#warehouse = new Warehouse(options.recall)
    const available = (command: Command) => command !== 'export' || options.exportScreen !== undefined
    this.#allBindings = keysWith(available)
    this.#changed()
  }

  /** For React: told of new lines only, never of the same ones. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listener = listener
    return () => {
      this.#listener = () => {}
    }
  }

  /** The window from top to bottom; the same array until something changes. */
  readonly lines = (): readonly string[] => this.#lines

  press(keys: readonly string[]): readonly TerminalEffect[] {
    return this.#does(keys.map((key) => (around) => press(this.#state, key, around)))
  }

  /** Text is for where text is typed: elsewhere its letters would be commands. */
  paste(text: string): readonly TerminalEffect[] {
    const { mode } = this.#state
    return mode === 'filter' || mode === 'palette'
      ? this.press(Array.from(text.trim()).slice(0, MOST_TYPED))
      : []
  }

  point(event: MouseEvent): readonly TerminalEffect[] {
    if (event.kind === 'wheel') return this.press([event.isDown ? 'down' : 'up'])
    const target = spanAt(this.#frame[event.row] ?? [], event.column)?.click
    return target === undefined ? [] : this.#does([(around) => click(this.#state, target, around)])
  }

  /** Each in the surroundings that the one before it has left. */
  #does(steps: readonly ((around: Surroundings) => Pressed)[]): readonly TerminalEffect[] {
    const effects: TerminalEffect[] = []
    this.#notice = undefined
    for (const step of steps) {
      const before = this.#state
      const { state, effect } = step({
        screens: this.#options.screens,
        bindings: this.#bindings,
        rows: this.#tableRows(),
        columns: this.#screen.columns(this.#warehouse.panels, this.#view),
        entries: before.mode === 'palette' ? this.#entries() : [],
        helpRows: helpRows(this.#size),
      })
      this.#state = state
      if (state.isPaused !== before.isPaused) this.#options.send({ kind: 'pause', isPaused: state.isPaused })
      if (effect !== undefined) effects.push(...this.#carryOut(effect))
      this.#ask(false)
    }
    this.#changed()
    return effects
  }

  receive(message: Exclude<FromEngine, { kind: 'failed' }>): void {
    this.#warehouse.receive(message, this.#options.now())
    // There may be fewer rows now; while there are none yet, the selection waits for them.
    const rows = message.kind === 'panel' ? this.#tableRows() : []
    if (rows.length > 0) this.#state = select(this.#state, this.#view.selected, { rows })
    this.#changed()
  }

  resize(size: Size): void {
    this.#size = size
    this.#changed()
  }

  /** Called now and then: ages grow, notices go. */
  tick(): void {
    this.#changed()
  }

  /** Asks for what the first screen shows. */
  start(): void {
    this.#ask(false)
    this.#changed()
  }

  get #screen(): Screen {
    const { screens } = this.#options
    const screen = screens.find(({ name }) => name === this.#state.screen) ?? screens[0]
    if (screen === undefined) throw new Error('There are no screens.')
    return screen
  }

  get #bindings() {
    const lacks: readonly Command[] = this.#screen.lacks ?? []
    return lacks.length === 0
      ? this.#allBindings
      : this.#allBindings.filter(({ command }) => !lacks.includes(command))
  }

  get #view(): View {
    return viewOf(this.#state, this.#options.glyphs)
  }

  #ask(isAnew: boolean): void {
    const requests = this.#requests()
    const isOther = this.#warehouse.want(requests, this.#options.now())
    const answeredAt = this.#warehouse.answeredAt(requests)
    if (isOther || isAnew) this.#options.send({ kind: 'want', requests, answeredAt, isAnew })
  }

  /** Of the shown screen; while the palette is open also what it lists. */
  #requests() {
    const own = this.#screen.reports(this.#view)
    if (this.#state.mode !== 'palette') return own
    const courses = this.#courses?.reports(this.#coursesView) ?? []
    const isOwn = ({ report }: { readonly report: string }) => own.some((one) => one.report === report)
    return [...own, ...courses.filter((request) => !isOwn(request))]
  }

  get #courses(): Screen | undefined {
    return this.#options.screens.find(({ name }) => name === 'courses')
  }

  /** As they are before anybody has looked at them: the palette lists all. */
  get #coursesView(): View {
    return viewOf(firstState('courses'), this.#options.glyphs)
  }

  #carryOut(effect: Effect): readonly TerminalEffect[] {
    switch (effect) {
      case 'quit':
      case 'interrupt':
        return [{ kind: 'leave', isInterrupted: effect === 'interrupt' }]
      case 'suspend':
        return [{ kind: 'suspend' }]
      case 'refresh':
        this.#ask(true)
        this.#tell('Reading everything again.', 'muted')
        return []
      case 'copy': {
        const row = this.#tableRows()[this.#view.selected]
        if (row === undefined) {
          this.#tell('There is no row to copy.', 'warn')
          return []
        }
        this.#tell('The row is in the clipboard, if the terminal takes it.', 'good')
        return [{ kind: 'copy', text: row.cells.map(safeText).join('\t') }]
      }
      case 'export':
        this.#options.exportScreen?.(this.#screen, this.#warehouse.panels, this.#view).then(
          (file) => this.#tell(`Written: ${file}`, 'good'),
          (error) => this.#tell(error instanceof Error ? error.message : String(error), 'bad'),
        )
        return []
    }
  }

  #tell(text: string, tone: Notice['tone']): void {
    this.#notice = { text, tone, until: this.#options.now() + NOTICE_MS }
    this.#changed()
  }

  #tableRows(): readonly TableRow[] {
    const { panels } = this.#warehouse
    const { filter, sort, opened } = this.#view
    const of = [this.#screen, panels, filter, sort, opened, this.#state.days, this.#state.isCompared]
    if (!isSame(of, this.#rows?.of)) this.#rows = { of, rows: this.#screen.rows(panels, this.#view) }
    return this.#rows?.rows ?? []
  }

  #entries(): readonly PaletteEntry[] {
    const entry = (label: string, go: PaletteEntry['go']): PaletteEntry => ({
      label,
      searched: label.toLowerCase(),
      go,
    })
    const screens = this.#options.screens.map(({ title, name }) =>
      entry(title, { kind: 'screen', screen: name }),
    )
    const courses = this.#courses
    const rows = courses?.rows(this.#warehouse.panels, this.#coursesView) ?? []
    const found = rows.flatMap(({ key, cells }) =>
      key === undefined || courses === undefined
        ? []
        : [entry(cells[0] ?? key, { kind: 'screen', screen: courses.name, opened: key })],
    )
    // What moves inside the screen makes no sense from here.
    const commands = this.#bindings
      .filter(({ command }) => PALETTE_COMMANDS.includes(command))
      .map(({ command, help }) => entry(help, { kind: 'command', command }))
    return [...screens, ...found, ...commands]
  }

  /** Makes the lines anew, and tells of them when they are other ones. */
  #changed(): void {
    const now = this.#options.now()
    if (this.#notice !== undefined && now > this.#notice.until) this.#notice = undefined
    const lines = this.#draw(now)
    if (lines.length === this.#lines.length && lines.every((line, row) => line === this.#lines[row])) return
    this.#lines = lines
    this.#listener()
  }

  #draw(now: number): readonly string[] {
    const { screens, theme, isSpoken } = this.#options
    const connection = this.#warehouse.state(now, this.#state.isPaused)
    const lost: Notice | undefined =
      connection.kind === 'disconnected'
        ? { text: `${connection.reason} Trying again.`, tone: 'bad' }
        : undefined
    const picture: Picture = {
      screens,
      screen: this.#screen,
      state: this.#state,
      view: this.#view,
      panels: this.#warehouse.panels,
      connection,
      bindings: this.#bindings,
      entries: this.#state.mode === 'palette' ? this.#entries() : [],
      notice: this.#notice ?? lost,
    }
    if (isSpoken) return describePicture(picture)
    this.#frame = drawPicture(picture, this.#size, (size) => this.#drawBody(picture, size))
    return this.#frame.map((line) => {
      const text = this.#texts.get(line) ?? lineToText(line, theme)
      this.#texts.set(line, text)
      return text
    })
  }

  /** A screen is drawn when something that it shows is another, not for every key and every second. */
  #drawBody({ screen, panels, view }: Picture, size: Size): Frame {
    const of = [screen, panels, size.width, size.height, ...Object.values(view)]
    if (!isSame(of, this.#body?.of)) this.#body = { of, frame: filled(screen.draw(panels, view, size), size) }
    return this.#body?.frame ?? []
  }
}

const PALETTE_COMMANDS: readonly Command[] = [
  'sort',
  'turnSort',
  'range',
  'compare',
  'style',
  'pause',
  'refresh',
  'copy',
  'export',
  'help',
  'quit',
]

function isSame(now: readonly unknown[], before: readonly unknown[] | undefined): boolean {
  return (
    before !== undefined && now.length === before.length && now.every((one, index) => one === before[index])
  )
}
