/**
 * An HTTP API for tests: a real server that gives the same records by every kind of pagination, and that fails where a
 * test says. Its records are xAPI statements.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { ApiSettings } from '../../config/api.ts'

export const PAGINATIONS = ['link', 'more', 'cursor', 'page', 'offset'] as const
export type Pagination = (typeof PAGINATIONS)[number]

/** What goes wrong at a page. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string> }
  /** Half the body, then the connection is gone. */
  | 'cut'
  /** Half the body, then nothing. */
  | 'slow'
  /** Half the body, as if it were all. */
  | 'half'
  | 'html'

export interface Asked {
  readonly path: string
  readonly page: number
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly method: string
  readonly body: string
}

/** How each pagination is configured. */
export const SETTINGS: Readonly<Record<Pagination, Partial<ApiSettings>>> = {
  link: { pagination: 'link', records: '$' },
  more: { pagination: 'more', records: '$.statements' },
  cursor: { pagination: 'cursor', records: '$.data', next: '$.meta.next', parameter: 'after' },
  page: { pagination: 'page', records: '$.items' },
  offset: { pagination: 'offset', records: '$.results' },
}

/** Beyond 2^53: a cursor that goes through a double is another one. */
const FIRST_CURSOR = 9_007_199_254_740_993n

export class ApiServer {
  readonly asked: Asked[] = []
  /** Statements as text, in order. */
  records: readonly string[] = []
  pageSize = 4
  /** Answers what is wrong with a request, if anything is. */
  fault: (asked: Asked) => Fault | undefined = () => undefined
  /** Answers instead, when it does. */
  answer: (asked: Asked, response: ServerResponse, body: string) => boolean = () => false
  readonly #server: Server
  readonly #scheme: string

  private constructor(server: Server, scheme: string) {
    this.#server = server
    this.#scheme = scheme
    server.on('request', (request, response) => this.#serve(request, response))
  }

  static async start(tls?: { readonly key: string; readonly cert: string }): Promise<ApiServer> {
    const server = tls ? createTlsServer(tls) : createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new ApiServer(server, tls ? 'https' : 'http')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  url(pagination: Pagination): string {
    return `${this.origin}/${pagination}`
  }

  reset(): void {
    this.asked.length = 0
    this.fault = () => undefined
    this.answer = () => false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.origin)
    const path = url.pathname.split('/')[1] as Pagination
    const page = this.#pageOf(path, url)
    const { method = '', headers } = request
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const sent = Buffer.concat(chunks).toString()
      const asked = { path: url.pathname, page, query: url.searchParams, headers, method, body: sent }
      this.asked.push(asked)
      const since = url.searchParams.get('since')
      const records = since === null ? this.records : this.records.filter((text) => storedOf(text) > since)
      const from = (page - 1) * this.pageSize
      const part = records.slice(from, from + this.pageSize)
      const isLast = from + this.pageSize >= records.length
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.setHeader('x-total-count', String(records.length))
      if (path === 'link' && !isLast) {
        url.searchParams.set('p', String(page + 1))
        response.setHeader(
          'link',
          `</link>; rel="first last", <${url.pathname}${url.search}>; title="a, b"; rel="next"`,
        )
      }
      const body = this.#body(path, part, page, isLast, url)
      if (this.answer(asked, response, body)) return
      this.#send(response, body, this.fault(asked), headers['accept-encoding'] === 'gzip' && page === 2)
    })
  }

  #pageOf(path: Pagination, url: URL): number {
    const number = (name: string) => Number(url.searchParams.get(name) ?? Number.NaN)
    if (path === 'cursor') {
      const after = url.searchParams.get('after')
      return after === null ? 1 : Number(BigInt(after) - FIRST_CURSOR) + 1
    }
    if (path === 'page') return number('page') || 1
    if (path === 'offset') return (number('offset') || 0) / this.pageSize + 1
    return number('p') || 1
  }

  #body(path: string, records: readonly string[], page: number, isLast: boolean, url: URL): string {
    const list = `[${records.join(',\n ')}]`
    switch (path) {
      case 'link':
        return list
      case 'more': {
        url.searchParams.set('p', String(page + 1))
        return `{"more": ${JSON.stringify(isLast ? '' : `${url.pathname}${url.search}`)}, "statements": ${list}}`
      }
      case 'cursor':
        return `{"data": ${list}, "meta": {"next": ${isLast ? 'null' : FIRST_CURSOR + BigInt(page)}}}`
      case 'page':
        return `\ufeff{"data": 1, "items": ${list}}`
      default:
        return `{"results": ${list}}`
    }
  }

  #send(response: ServerResponse, body: string, fault: Fault | undefined, isPacked: boolean): void {
    const half = Buffer.from(body).subarray(0, Math.floor(Buffer.byteLength(body) / 2))
    if (fault === undefined) {
      if (isPacked) response.setHeader('content-encoding', 'gzip')
      response.end(isPacked ? gzipSync(body) : body)
    } else if (fault === 'html') {
      response.setHeader('content-type', 'text/html')
      response.end('<p>Log in</p>')
    } else if (fault === 'half') response.end(half)
    else if (fault === 'cut' || fault === 'slow') {
      response.writeHead(200, { 'content-length': Buffer.byteLength(body) })
      response.write(half, () => {
        if (fault === 'cut') response.socket?.destroy()
      })
    } else {
      for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value)
      response.statusCode = fault.status
      response.end('{"statements": [], "message": "no"}')
    }
  }
}

function storedOf(statement: string): string {
  return /"stored": ?"([^"]*)"/.exec(statement)?.[1] ?? ''
}

/** Of learner `learner-N@example.org`, one a minute; numbers and texts that are easily changed on the way. */
function statement(number: number): string {
  const minute = String(number % 60).padStart(2, '0')
  const hour = String(Math.floor(number / 60) % 24).padStart(2, '0')
  return `{"id": "00000000-0000-4000-8000-${String(number).padStart(12, '0')}",
  "actor": {"mbox": "mailto:learner-${number}@example.org", "name": "Zoë \\"]}[{ ${number}"},
  "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
  "object": {"id": "https://lms.example/course/${number % 3}", "definition": {"type": "http://adlnet.gov/expapi/activities/course"}},
  "result": {"score": {"raw": 9007199254740993.${number}, "max": 1e400}},
  "timestamp": "2026-01-12T${hour}:${minute}:00Z", "stored": "2026-01-12T${hour}:${minute}:30.000Z"}`
}

export function statements(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, index) => statement(from + index))
}
