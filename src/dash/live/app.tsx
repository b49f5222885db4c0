/** The one component: the shell's lines as they are. Everything that Ink would lay out or colour costs a frame more. */

import { Box, render, Text, Transform, useApp, useInput, usePaste } from 'ink'
import { useEffect, useSyncExternalStore } from 'react'
import { keyNames } from './keys.ts'
import { MOUSE_OFF, MOUSE_ON, mouseReader } from './mouse.ts'
import type { Shell, TerminalEffect } from './shell.ts'

export interface AppOptions {
  readonly shell: Shell
  readonly isSpoken: boolean
  readonly hasMouse: boolean
  readonly onEffect: (effect: TerminalEffect) => void
  readonly onCrash: (error: unknown) => void
}

export interface RunningApp {
  /** Gives the terminal back as it was before. */
  leave(): void
  /** The same for a while; answers what takes it again. */
  suspend(): Promise<() => Promise<void>>
}

type Suspend = ReturnType<typeof useApp>['suspendTerminal']

/** Takes the terminal. */
export function startApp(options: AppOptions): RunningApp {
  let suspendTerminal: Suspend | undefined
  const modes = options.isSpoken ? undefined : new Modes(options)
  const onStart = (suspend: Suspend) => {
    suspendTerminal = suspend
    modes?.take()
  }
  const instance = render(<Window {...options} onStart={onStart} />, {
    alternateScreen: !options.isSpoken,
    incrementalRendering: true,
    maxFps: 60,
    patchConsole: false,
    exitOnCtrlC: false,
    interactive: true,
    isScreenReaderEnabled: options.isSpoken,
  })
  instance.waitUntilExit().catch(options.onCrash)
  return {
    leave() {
      modes?.release()
      instance.unmount()
    },
    async suspend() {
      modes?.release()
      const suspension = await suspendTerminal?.()
      return async () => {
        await suspension?.resume()
        modes?.take()
      }
    },
  }
}

/** A line that the terminal thinks wider than it is would go on in the next, and the window would scroll. */
const [WRAP_OFF, WRAP_ON] = ['\x1b[?7l', '\x1b[?7h']

/** What of the terminal Ink does not care for: lines that are too long, and the mouse, whose reports it passes over. */
class Modes {
  readonly #read = mouseReader()
  readonly #hasMouse: boolean
  readonly #onInput: (input: string) => void

  constructor({ shell, hasMouse, onEffect }: AppOptions) {
    this.#hasMouse = hasMouse
    this.#onInput = (input) => {
      for (const event of this.#read(input)) for (const effect of shell.point(event)) onEffect(effect)
    }
  }

  /** Once Ink reads: beside its listener this one gets what is read, and asks for nothing itself. */
  take(): void {
    process.stdout.write(this.#hasMouse ? WRAP_OFF + MOUSE_ON : WRAP_OFF)
    if (this.#hasMouse) process.stdin.on('data', this.#onInput)
    process.on('exit', this.#giveBack)
  }

  release(): void {
    process.stdin.off('data', this.#onInput)
    process.off('exit', this.#giveBack)
    this.#giveBack()
  }

  readonly #giveBack = () => process.stdout.write(this.#hasMouse ? MOUSE_OFF + WRAP_ON : WRAP_ON)
}

function Window({
  shell,
  isSpoken,
  onEffect,
  onStart,
}: AppOptions & { readonly onStart: (suspend: Suspend) => void }) {
  const { suspendTerminal } = useApp()
  const lines = useSyncExternalStore(shell.subscribe, shell.lines)
  useInput((input, key) => {
    for (const effect of shell.press(keyNames(input, key))) onEffect(effect)
  })
  usePaste((text) => {
    for (const effect of shell.paste(text)) onEffect(effect)
  })
  // After these, so that Ink reads by then.
  useEffect(() => onStart(suspendTerminal), [onStart, suspendTerminal])
  if (isSpoken) return <Text>{lines.join('\n')}</Text>
  return (
    <Box height={lines.length}>
      {/* Ink measures and cuts up the text inside each time: as little as a row needs to be there. */}
      <Transform transform={(_, row) => lines[row] ?? ''}>{lines.map(() => '.').join('\n')}</Transform>
    </Box>
  )
}
