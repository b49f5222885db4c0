/** A line between lpa and the emulator that a test cuts: the server is gone for who was connected, and for who calls. */

import { createServer, connect as dial, type Server, type Socket } from 'node:net'

export class CutLine implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(to: { readonly host: string; readonly port: number }): Promise<CutLine> {
    const line = new CutLine(createServer())
    line.#server.on('connection', (near) => {
      const far = dial(to.port, to.host)
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        line.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => other.destroy())
        socket.pipe(other)
      }
    })
    await new Promise<void>((resolve) => {
      line.#server.listen(0, '127.0.0.1', resolve)
    })
    return line
  }

  /** What sends a connection over this line. */
  get env(): Readonly<Record<string, string>> {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The line was cut before.')
    return { SNOWFLAKE_CONNECTIONS_DEFAULT_PORT: String(address.port) }
  }

  cut(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
  }
}
