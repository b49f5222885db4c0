/** A server that speaks as much of Snowflake's protocol as a login and one answer take. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { SnowflakeConnection } from './connections.ts'

export interface Asked {
  readonly path: string
  readonly body: Record<string, unknown>
}

export interface TestServer extends AsyncDisposable {
  /** Requests in their order. */
  readonly asked: Asked[]
  readonly port: number
  connection(options?: Partial<SnowflakeConnection['options']>): SnowflakeConnection
}

/** What a login is answered: a failure by Snowflake's code, an HTTP status, never anything, or success. */
export type LoginAnswer = { readonly code: string; readonly message: string } | number | 'silence' | 'in'

/** `row`: the cells of the one row that every query is answered. */
export async function serveSnowflake(
  login: LoginAnswer,
  row: readonly (string | null)[] = [],
): Promise<TestServer> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '', 'http://localhost').pathname
    asked.push({ path, body: await bodyOf(request) })
    if (path === '/session/v1/login-request') answerLogin(response, login)
    else if (path === '/queries/v1/query-request') reply(response, resultOf(row))
    else reply(response, null)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...{ asked, port },
    connection: (options = {}) => ({
      name: 'test',
      database: 'LPA',
      origin: '[test] of ~/.snowflake/connections.toml',
      warnings: [],
      options: {
        ...{ account: 'acc', username: 'lpa', password: 'pass-of-test', authenticator: 'SNOWFLAKE' },
        ...{ host: '127.0.0.1', accessUrl: `http://127.0.0.1:${port}`, database: 'LPA', ...options },
      },
    }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answerLogin(response: ServerResponse, login: LoginAnswer): void {
  if (login === 'silence') return
  if (typeof login === 'number') response.writeHead(login).end()
  else if (login === 'in') {
    const seconds = { validityInSeconds: 3600, masterValidityInSeconds: 14_400 }
    reply(response, {
      token: 't',
      masterToken: 'm',
      sessionId: 1,
      parameters: [],
      sessionInfo: {},
      ...seconds,
    })
  } else reply(response, null, login)
}

function resultOf(row: readonly (string | null)[]): object {
  const column = { type: 'text', nullable: true, length: 100, scale: null, precision: null, byteLength: 100 }
  return {
    ...{ parameters: [], rowset: [row], total: 1, returned: 1, queryId: '0', queryResultFormat: 'json' },
    rowtype: row.map((_, index) => ({ ...column, name: `C${index}` })),
  }
}

function reply(
  response: ServerResponse,
  data: object | null,
  failure?: { code: string; message: string },
): void {
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({ data, success: failure === undefined, code: null, message: null, ...failure }),
  )
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const bytes = Buffer.concat(parts)
  const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
  return text.length > 0 ? JSON.parse(String(text)) : {}
}
