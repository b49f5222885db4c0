/** Every pagination against a real server, with something wrong at every page. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ApiSettings } from '../../config/api.ts'
import { UserError } from '../../errors.ts'
import { testKey } from '../stage.test-support.ts'
import { openApi } from './input.ts'
import { unseal } from './position.ts'
import {
  ApiServer,
  type Fault,
  PAGINATIONS,
  type Pagination,
  SETTINGS,
  statements,
} from './server.test-support.ts'

let server: ApiServer
beforeAll(async () => {
  server = await ApiServer.start()
  server.records = statements(10)
})
afterEach(() => server.reset())
afterAll(() => server[Symbol.asyncDispose]())

/** What all pages must give, and nothing else. */
const EXPECTED = `${statements(10)
  .map((text) => text.replaceAll('\n', ' '))
  .join('\n')}\n`

interface Read {
  readonly text: string
  readonly waits: readonly string[]
  readonly cursor: string | undefined
  placeOf(line: number): string | undefined
}

async function read(pagination: Pagination, more: Partial<ApiSettings> = {}, after?: string): Promise<Read> {
  const waits: string[] = []
  const input = await openApi({
    settings: {
      ...{
        url: server.url(pagination),
        headers: {},
        secretVariable: 'LPA_SOURCES_TEST_SECRET',
        resume: false,
      },
      ...{ maxPages: 20, timeoutMs: 400, allowPrivate: true, overlapMs: 0, pagination: 'link', records: '$' },
      ...SETTINGS[pagination],
      ...more,
    },
    ...{ key: testKey, after, signal: new AbortController().signal, firstWaitMs: 10 },
    onWait: (line) => waits.push(line),
  })
  const chunks: Buffer[] = []
  for await (const chunk of input?.open() ?? []) chunks.push(chunk)
  return {
    text: Buffer.concat(chunks).toString('utf8'),
    waits,
    cursor: input?.cursor?.(),
    placeOf: (line) => input?.placeOf?.(line),
  }
}

async function failure(pagination: Pagination, more?: Partial<ApiSettings>): Promise<UserError> {
  const error = await read(pagination, more).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof UserError)) throw new Error(`It did not fail for its user: ${error}`)
  return error
}

/** From where the next run goes on, unsealed. */
function sinceOf(cursor: string | undefined): string {
  return unseal(testKey, cursor ?? '', { since: 'since', resume: false } as ApiSettings)?.value ?? ''
}

/** Goes wrong once at a page. */
function once(page: number, fault: Fault): void {
  let isDone = false
  server.fault = (asked) => {
    if (isDone || asked.page !== page) return undefined
    isDone = true
    return fault
  }
}

const now = () => new Date().toUTCString()

const PASSING: readonly (readonly [name: string, fault: () => Fault])[] = [
  ['500', () => ({ status: 500 })],
  ['520', () => ({ status: 520 })],
  ['503 with Retry-After: 0', () => ({ status: 503, headers: { 'Retry-After': '0' } })],
  ['429 with a date', () => ({ status: 429, headers: { 'Retry-After': now() } })],
  ['a connection cut in the body', () => 'cut'],
  ['a body that stops', () => 'slow'],
  ['a redirect of its own origin', () => ({ status: 307, headers: { Location: '' } })],
]

const LASTING: readonly (readonly [
  name: string,
  fault: () => Fault,
  code: string,
  exit: number,
  message: RegExp,
])[] = [
  ['half its JSON', () => 'half', 'LPA-API-PAGE', 65, /cut off or malformed/],
  ['a page for people', () => 'html', 'LPA-API-PAGE', 65, /text\/html instead of JSON/],
  ['400', () => ({ status: 400 }), 'LPA-API-STATUS', 78, /HTTP 400/],
  ['401', () => ({ status: 401 }), 'LPA-API-STATUS', 77, /HTTP 401/],
  ['403', () => ({ status: 403 }), 'LPA-API-STATUS', 77, /HTTP 403/],
  ['404', () => ({ status: 404 }), 'LPA-API-STATUS', 66, /HTTP 404/],
  [
    'an hour of Retry-After',
    () => ({ status: 503, headers: { 'Retry-After': '3600' } }),
    'LPA-API-STATUS',
    69,
    /wait for 1 h 0 min/,
  ],
  [
    'a redirect to another origin',
    () => ({ status: 302, headers: { Location: 'https://other.example/x?token=canary' } }),
    'LPA-API-REDIRECT',
    77,
    /another origin, https:\/\/other\.example,/,
  ],
  [
    'a redirect to an address of a cloud',
    () => ({ status: 302, headers: { Location: 'http://169.254.169.254/latest/meta-data' } }),
    'LPA-API-REDIRECT',
    77,
    /another origin/,
  ],
  [
    'a redirect to itself',
    () => ({ status: 301, headers: { Location: '' } }),
    'LPA-API-REDIRECT',
    77,
    /in a circle/,
  ],
]

describe.each(PAGINATIONS)('pagination by %s', (pagination) => {
  test('gives every record once, as it is written', async () => {
    const { text, waits, placeOf } = await read(pagination)
    expect(text).toBe(EXPECTED)
    expect(waits).toEqual([])
    expect([1, 4, 5, 10].map(placeOf)).toEqual([
      `${server.url(pagination)}:page-1:record-1`,
      `${server.url(pagination)}:page-1:record-4`,
      `${server.url(pagination)}:page-2:record-1`,
      `${server.url(pagination)}:page-3:record-2`,
    ])
  })

  describe.each([1, 2, 3])('page %i', (page) => {
    test.each(PASSING)('with %s, once, changes nothing', async (name, fault) => {
      once(page, fault())
      const { text, waits } = await read(pagination)
      expect(text).toBe(EXPECTED)
      expect(waits).toHaveLength(name.startsWith('a redirect') ? 0 : 1)
    })

    test.each(LASTING)('with %s ends with its place', async (_, fault, code, exit, message) => {
      server.fault = (asked) => (asked.page === page ? fault() : undefined)
      const error = await failure(pagination)
      expect(error).toMatchObject({ code, exitCode: exit, message: expect.stringMatching(message) })
      expect(error.where).toBe(`${server.url(pagination)}, page ${page}`)
      expect(JSON.stringify([error.message, error.where, error.next])).not.toMatch(/canary|latest/)
    })
  })

  test('Retry-After is waited for', async () => {
    once(2, { status: 429, headers: { 'Retry-After': '1' } })
    const started = performance.now()
    expect((await read(pagination)).text).toBe(EXPECTED)
    expect(performance.now() - started).toBeGreaterThan(950)
  })

  test('a server that stays broken is asked six times', async () => {
    server.fault = ({ page }) => (page === 2 ? { status: 502 } : undefined)
    expect(await failure(pagination)).toMatchObject({ code: 'LPA-API-STATUS', exitCode: 69 })
    expect(server.asked.filter(({ page }) => page === 2)).toHaveLength(6)
  })

  test('no records at all', async () => {
    const { records } = server
    server.records = []
    const { text, placeOf } = await read(pagination).finally(() => {
      server.records = records
    })
    expect([text, placeOf(1)]).toEqual(['', undefined])
  })
})

describe('what servers answer now and then', () => {
  test.each([
    ['without an end', '9'.repeat(400)],
    ['of the year 9999', 'Fri, 31 Dec 9999 23:59:59 GMT'],
  ])('a Retry-After %s is not waited for', async (_, after) => {
    server.answer = (_, response) => {
      response.writeHead(429, { 'retry-after': after }).end()
      return true
    }
    expect(await failure('link')).toMatchObject({
      message: 'It asks to wait for more than a day (HTTP 429).',
      exitCode: 69,
    })
    expect(server.asked).toHaveLength(1)
  })

  test.each([
    ['link', 1],
    ['page', 2],
  ] as const)('a page without content holds no records: by %s, page %i', async (pagination, last) => {
    server.answer = ({ page }, response) => {
      if (page < last) return false
      for (const name of ['link', 'x-total-count']) response.removeHeader(name)
      response.writeHead(204).end()
      return true
    }
    const { text } = await read(pagination)
    expect(text.split('\n')).toHaveLength((last - 1) * server.pageSize + 1)
    expect(server.asked).toHaveLength(last)
  })

  test('a relative address counts from where a redirect led', async () => {
    const [first, second] = statements(2)
    server.answer = ({ path }, response) => {
      const isNext = path === '/deeper/down/next'
      if (path === '/link') response.writeHead(302, { location: '/deeper/down/' }).end()
      else if (isNext || path === '/deeper/down/')
        response
          .writeHead(200, isNext ? {} : { link: '<next>; rel="next"' })
          .end(`[${isNext ? second : first}]`)
      else response.writeHead(404).end()
      return true
    }
    expect((await read('link')).text.split('\n').length - 1).toBe(2)
  })
})

describe('what has no end', () => {
  /** Answers every request with this. */
  const always = (body: (page: number) => string, headers: Record<string, string> = {}) => {
    server.answer = ({ page }, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      response.end(body(page))
      return true
    }
  }

  test('a link to itself', async () => {
    always(() => '[{"a": 1}]', { link: '</link>; rel="next"' })
    expect(await failure('link')).toMatchObject({ code: 'LPA-API-LOOP', exitCode: 65 })
    expect(server.asked).toHaveLength(1)
  })

  test('a circle of two', async () => {
    server.answer = ({ query }, response) => {
      response.end(
        `{"statements": [{"q": "${query.get('q')}"}], "more": "/more?q=${query.get('q') === '1' ? 2 : 1}"}`,
      )
      return true
    }
    expect(await failure('more')).toMatchObject({
      code: 'LPA-API-LOOP',
      message: expect.stringMatching(/read before/),
    })
  })

  test('the same cursor for ever', async () => {
    always(() => '{"data": [{"a": 1}], "meta": {"next": 5}}')
    expect(await failure('cursor')).toMatchObject({ code: 'LPA-API-LOOP' })
  })

  test.each(['page', 'offset'] as const)(
    'a server that does not know the parameter of %s',
    async (pagination) => {
      always(() => '{"items": [{"a": 1}], "results": [{"a": 1}]}', { 'x-total-count': '' })
      expect(await failure(pagination)).toMatchObject({
        code: 'LPA-API-LOOP',
        message: 'It is the same page as the one before.',
      })
    },
  )

  test('empty pages', async () => {
    let count = 0
    always(() => {
      count += 1
      return `{"statements": [], "more": "/more?count=${count}"}`
    })
    expect(await failure('more', { maxPages: 1000 })).toMatchObject({ code: 'LPA-API-LOOP' })
    expect(server.asked).toHaveLength(101)
  })

  test('more pages than are meant', async () => {
    let count = 0
    always(() => {
      count += 1
      return `{"statements": [{"n": ${count}}], "more": "/more?count=${count}"}`
    })
    expect(await failure('more', { maxPages: 7 })).toMatchObject({
      code: 'LPA-API-PAGES',
      message: 'There are more than 7 pages.',
      where: expect.stringMatching(/page 8$/),
    })
    expect(server.asked).toHaveLength(7)
  })

  test('with more time than a timer can wait', async () => {
    expect((await read('link', { timeoutMs: 30 * 86_400_000 })).waits).toEqual([])
  })

  test('a body that trickles', async () => {
    server.answer = (_, response) => {
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
      return true
    }
    // Silent for no 100 ms, and yet not for ever.
    expect(await failure('link', { timeoutMs: 100 })).toMatchObject({
      code: 'LPA-API-CONNECTION',
      message: expect.stringMatching(/in time \(ETIMEDOUT\)/),
    })
  })

  test('a page of more records than any is meant to have', async () => {
    server.answer = (_, response) => {
      response.end(`[${'{},'.repeat(500_000)}{}]`)
      return true
    }
    expect(await failure('link', { timeoutMs: 10_000 })).toMatchObject({ code: 'LPA-API-SIZE', exitCode: 65 })
  })

  test.each([
    ['plain', {}],
    ['packed', { 'content-encoding': 'gzip' }],
  ])('a page that is too large, %s', async (_, headers) => {
    const { gzipSync } = await import('node:zlib')
    const large = Buffer.alloc(33 * 1024 * 1024, ' ')
    const body = 'content-encoding' in headers ? gzipSync(large) : large
    server.answer = (_, response) => {
      response.writeHead(200, headers).end(body)
      return true
    }
    expect(await failure('link', { timeoutMs: 10_000 })).toMatchObject({ code: 'LPA-API-SIZE', exitCode: 65 })
  })
})

describe('what would be left out', () => {
  test('a total that is not reached', async () => {
    server.answer = ({ page }, response, body) => {
      response.setHeader('x-total-count', '12')
      response.end(page > 2 ? '{"results": []}' : body)
      return true
    }
    expect(await failure('offset')).toMatchObject({
      message: 'It says that there are 12 records, and ends after 8.',
    })
  })

  test('a first page without a link, of more records than it holds', async () => {
    server.answer = (_, response, body) => {
      response.setHeader('x-total-count', '12')
      response.end(body)
      return true
    }
    expect(await failure('page', { pagination: 'link' })).toMatchObject({
      message: 'It says that there are 12 records, and ends after 4 without a link to more.',
      next: ['Say how its pages lead on: pagination = "page" or "offset"'],
    })
  })

  test('more of xAPI without its pagination', async () => {
    expect(await failure('more', { pagination: 'link' })).toMatchObject({
      next: ['Add: pagination = "more"'],
    })
  })

  test('records somewhere else', async () => {
    expect(await failure('more', { records: '$' })).toMatchObject({
      message: 'It is no array of records.',
      next: ['Say where the records are, as in: records = "$.statements"'],
    })
    expect(await failure('page', { records: '$.data' })).toMatchObject({
      message: expect.stringMatching(/no array of records at \$\.data/),
    })
  })
})

describe('where it leads', () => {
  test.each([
    'https://evil.example/more',
    'http://127.0.0.1:1/more',
    '//evil.example/',
    'javascript:alert(1)',
    'file:///etc/passwd',
  ])('a next page at %s is refused', async (more) => {
    server.answer = (_, response) => {
      response.end(JSON.stringify({ statements: [{ a: 1 }], more }))
      return true
    }
    expect(await failure('more')).toMatchObject({ code: 'LPA-API-REDIRECT', exitCode: 77 })
    expect(server.asked).toHaveLength(1)
  })

  test('this machine is refused unless it is allowed, by its address and by its name', async () => {
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
      const url = `https://${host}:${server.port}/link`
      expect(await failure('link', { url, allowPrivate: false })).toMatchObject({
        code: 'LPA-API-ADDRESS',
        next: [expect.stringMatching(/allow_private = true/)],
      })
    }
    expect(server.asked).toEqual([])
  })

  test('a redirect to another name of this machine is one of another origin', async () => {
    once(1, { status: 308, headers: { Location: `http://localhost:${server.port}/link` } })
    expect(await failure('link')).toMatchObject({ code: 'LPA-API-REDIRECT' })
  })
})

describe('what is new', () => {
  test('is asked for with the largest value so far', async () => {
    const { records } = server
    const since = { since: 'since', sincePath: '$.stored' }
    const first = await read('more', since)
    expect(server.asked.some(({ query }) => query.has('since'))).toBe(false)
    server.asked.length = 0
    server.records = statements(12)
    try {
      const second = await read('more', since, first.cursor)
      expect(second.text.match(/"id": "00/g)).toHaveLength(2)
      expect(second.cursor).not.toBe(first.cursor)
      // Nothing new: nothing to read, nothing to keep.
      expect(await read('more', since, second.cursor)).toMatchObject({ text: '', cursor: undefined })
    } finally {
      server.records = records
    }
  })

  test('is asked for from when it began by the clock of the server, not of this machine', async () => {
    const date = (text: string) => {
      server.answer = (_, response) => {
        response.setHeader('date', text)
        return false
      }
    }
    date('Thu, 01 Jan 2026 12:00:00 GMT')
    const began = await read('link', { since: 'since' })
    expect(sinceOf(began.cursor)).toMatch(/^2026-01-01T11:59:5[78]/)
    date('no time')
    const unsaid = await read('link', { since: 'since' })
    expect(Date.now() - Date.parse(sinceOf(unsaid.cursor))).toBeLessThan(60_000)
    // What records say is cut to that clock too: minute 9 is in the future at minute 5.
    date('Mon, 12 Jan 2026 00:05:00 GMT')
    const cut = await read('more', { since: 'since', sincePath: '$.stored' })
    expect(sinceOf(cut.cursor)).toBe('2026-01-12T00:05:01.000Z')
  })

  test('is asked for with the last cursor', async () => {
    const resume = { resume: true }
    server.answer = ({ query }, response) => {
      const after = Number(query.get('after') ?? 0)
      const data = after < 3 ? `{"n": ${after}}` : ''
      response.end(`{"data": [${data}], "meta": {"next": ${Math.min(after + 1, 3)}}}`)
      return true
    }
    const first = await read('cursor', resume)
    expect(first.text).toBe('{"n": 0}\n{"n": 1}\n{"n": 2}\n')
    server.asked.length = 0
    expect((await read('cursor', resume, first.cursor)).text).toBe('')
    expect(server.asked.map(({ query }) => query.get('after'))).toEqual(['3'])
  })
})

describe('who asks', () => {
  const secret = 'correct horse battery'
  beforeAll(() => {
    process.env.LPA_SOURCES_TEST_SECRET = secret
  })
  afterAll(() => {
    delete process.env.LPA_SOURCES_TEST_SECRET
  })

  test("bearer, basic and headers of one's own", async () => {
    await read('link', { auth: 'bearer', headers: { 'X-Experience-API-Version': '1.0.3' } })
    expect(new Set(server.asked.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${secret}`]),
    )
    expect(server.asked[2]?.headers['x-experience-api-version']).toBe('1.0.3')
    server.asked.length = 0
    await read('link', { auth: 'basic', user: 'lpa' })
    expect(server.asked[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from(`lpa:${secret}`).toString('base64')}`,
    )
  })

  test('a header or a parameter that the API names, which stays out of addresses', async () => {
    await read('link', { auth: 'header', authName: 'X-Api-Key' })
    expect(new Set(server.asked.map(({ headers }) => headers['x-api-key']))).toEqual(new Set([secret]))
    expect(server.asked[0]?.headers.authorization).toBeUndefined()
    for (const pagination of PAGINATIONS) {
      server.asked.length = 0
      expect((await read(pagination, { auth: 'query', authName: 'api_key' })).text).toBe(EXPECTED)
      expect(new Set(server.asked.map(({ query }) => query.getAll('api_key').join()))).toEqual(
        new Set([secret]),
      )
    }
    server.fault = () => ({ status: 403 })
    const error = await failure('link', { auth: 'query', authName: 'api_key' })
    expect(JSON.stringify([error.message, error.where, error.next])).not.toContain('horse')
  })

  test('oauth: a client that says who it is in the body', async () => {
    let form = ''
    server.answer = ({ path, headers, body }, response) => {
      if (path !== '/token') return false
      form = body
      expect(headers.authorization).toBeUndefined()
      response.end('{"access_token": "token-number-1"}')
      return true
    }
    expect((await read('link', { ...oauth(), tokenAuth: 'body' })).text).toBe(EXPECTED)
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      ...{ grant_type: 'client_credentials', client_id: 'a:b', client_secret: secret, scope: 'read' },
    })
  })

  /** Gives token 1, 2, …; each is good for so many pages. */
  function tokens(pages: number, life: object = {}): void {
    let number = 0
    let left = 0
    server.answer = ({ path, headers, method }, response) => {
      if (path === '/token') {
        expect(method).toBe('POST')
        // As RFC 6749 has it: encoded before base64.
        expect(headers.authorization).toBe(
          `Basic ${Buffer.from('a%3Ab:correct+horse+battery').toString('base64')}`,
        )
        number += 1
        left = pages
        response.end(
          JSON.stringify({ access_token: `token-number-${number}`, token_type: 'bearer', ...life }),
        )
        return true
      }
      if (headers.authorization === `Bearer token-number-${number}` && left > 0) {
        left -= 1
        return false
      }
      response.statusCode = 401
      response.end()
      return true
    }
  }
  const oauth = () => ({
    auth: 'oauth' as const,
    user: 'a:b',
    tokenUri: `${server.origin}/token`,
    scope: 'read',
  })

  test.each(PAGINATIONS)(
    'oauth: a token that runs out in the middle of %s is renewed',
    async (pagination) => {
      tokens(1)
      expect((await read(pagination, oauth())).text).toBe(EXPECTED)
      expect(server.asked.filter(({ path }) => path === '/token').length).toBeGreaterThanOrEqual(3)
    },
  )

  test('oauth: one that says when it runs out is renewed before', async () => {
    tokens(100, { expires_in: 60.5 })
    const asked = read('link', oauth())
    expect((await asked).text).toBe(EXPECTED)
    expect(server.asked.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  test('oauth: a new token that is refused too is the end', async () => {
    tokens(0)
    expect(await failure('link', oauth())).toMatchObject({ code: 'LPA-API-STATUS', exitCode: 77 })
    expect(server.asked.filter(({ path }) => path === '/token')).toHaveLength(2)
  })

  test('oauth: 503 and 429 of the token are waited for, 400 is not', async () => {
    let tries = 0
    tokens(100)
    const { answer } = server
    server.answer = (asked, response, body) => {
      tries += asked.path === '/token' ? 1 : 0
      if (asked.path !== '/token' || tries > 2) return answer(asked, response, body)
      response.statusCode = tries === 1 ? 503 : 429
      response.end()
      return true
    }
    expect((await read('link', oauth())).text).toBe(EXPECTED)
    server.answer = (_, response) => {
      response.statusCode = 400
      response.end('{"error": "invalid_client"}')
      return true
    }
    const error = await failure('link', oauth())
    expect(error).toMatchObject({ code: 'LPA-API-STATUS', where: `${server.origin}/token (token)` })
  })

  test('oauth: a redirect of the token is not followed', async () => {
    server.answer = (_, response) => {
      response.writeHead(307, { location: 'https://evil.example/token' }).end()
      return true
    }
    expect(await failure('link', oauth())).toMatchObject({ code: 'LPA-API-STATUS' })
    expect(server.asked).toHaveLength(1)
  })

  test.each(['https://169.254.169.254/token', 'https://[fe80::1]/token', 'http://10.0.0.1/token'])(
    'oauth: a server of tokens that is none is not asked: %s',
    async (tokenUri) => {
      expect(await failure('link', { ...oauth(), tokenUri })).toMatchObject({
        code: 'LPA-API-ADDRESS',
        exitCode: 77,
      })
      expect(server.asked).toEqual([])
    },
  )

  test('oauth: what is no token', async () => {
    server.answer = (_, response) => {
      response.end('{"access_token": "two\\nlines"}')
      return true
    }
    expect(await failure('link', oauth())).toMatchObject({ code: 'LPA-API-TOKEN', exitCode: 69 })
  })
})

test('a ca_file that is not there is named', async () => {
  const error = await failure('link', { caFile: '/not/there/ca.pem' })
  expect(error).toMatchObject({ code: 'LPA-SOURCE-CA', exitCode: 66 })
  expect(error.message).toContain('/not/there/ca.pem')
})

test('who is behind a proxy is told that none is used', async () => {
  const before = process.env.HTTPS_PROXY
  process.env.HTTPS_PROXY = 'http://127.0.0.1:1'
  try {
    expect((await read('link')).text).toBe(EXPECTED)
    const error = await failure('link', { url: 'http://127.0.0.1:1/link' })
    expect(error).toMatchObject({ code: 'LPA-API-CONNECTION' })
    expect(error.next.join()).toContain('lpa uses no proxy (HTTPS_PROXY)')
  } finally {
    if (before === undefined) delete process.env.HTTPS_PROXY
    else process.env.HTTPS_PROXY = before
  }
})

test('a signal ends a wait at once', async () => {
  server.fault = () => ({ status: 503, headers: { 'Retry-After': '200' } })
  const stop = new AbortController()
  const reason = new UserError('LPA-STOPPED', 'Stopped.', { exit: 'sigint' })
  const opened = openApi({
    settings: {
      ...{
        url: server.url('link'),
        headers: {},
        secretVariable: '',
        resume: false,
        pagination: 'link',
        records: '$',
      },
      ...{ maxPages: 20, timeoutMs: 400, allowPrivate: true, overlapMs: 0 },
    },
    ...{ key: testKey, after: undefined, signal: stop.signal, onWait: () => stop.abort(reason) },
  })
  const outcome = await Promise.race([opened.catch((error: unknown) => error), sleep(3000, 'still waiting')])
  expect(outcome).toBe(reason)
})
