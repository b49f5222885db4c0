/**
 * HTTP APIs through the built command line, against a real server with a certificate of the test's own: what comes
 * into the warehouse is what files of the same records bring, whatever goes wrong on the way.
 */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  ApiServer,
  PAGINATIONS,
  type Pagination,
  statements,
} from '../src/sources/api/server.test-support.ts'
import { faultsOf, withEngine } from './faults/dump.ts'
import {
  copyPlace,
  initPlace,
  isFull,
  lpa,
  lpaOk,
  newPlace,
  type Place,
  type Ran,
  removePlaces,
  rounds,
  type StartOptions,
  startLpa,
} from './faults/lpa.ts'
import { Searcher } from './faults/search.ts'
import { randomOf, replayable, seeds, share } from './faults/seeds.ts'

const FILE = 'test/api.test.ts'
const CANARY = 'canary-Zw9+secret/of=the.API'
const COUNT = 10

const TOML: Readonly<Record<Pagination, string>> = {
  link: '',
  more: 'pagination = "more"\nrecords = "$.statements"',
  cursor: 'pagination = "cursor"\nrecords = "$.data"\nnext = "$.meta.next"\nparameter = "after"',
  page: 'pagination = "page"\nrecords = "$.items"',
  offset: 'pagination = "offset"\nrecords = "$.results"',
}

let server: ApiServer
let certificate: string
let folder: string
/** The warehouse of each test begins as a copy of this one. */
let fresh: Place

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-api-'))
  certificate = join(folder, 'ca.pem')
  const key = join(folder, 'key.pem')
  const subject = ['-subj', '/CN=lpa test', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...made, ...subject, '-keyout', key, '-out', certificate], {
    stdio: 'pipe',
  })
  server = await ApiServer.start({ key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') })
  fresh = await initPlace('api')
})
afterEach(() => server.reset())
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
  removePlaces()
})

/** A place with these sources, each of the server and its certificate. */
function placeWith(name: string, sources: Readonly<Record<string, string>>): Place {
  server.records = statements(COUNT)
  const place = copyPlace(fresh, name)
  const toml = join(place.root, 'lpa.toml')
  const own = Object.entries(sources).map(
    ([source, settings]) =>
      `[sources.${source}]\n${settings.includes('uri = ') ? '' : `uri = "${server.url('link')}"\n`}allow_private = true\nca_file = "${certificate}"\ntimeout = "1s"\n${settings}\n`,
  )
  writeFileSync(toml, `${readFileSync(toml, 'utf8')}\n${own.join('\n')}`)
  return place
}

const uri = (pagination: Pagination) => `uri = "${server.url(pagination)}"\n${TOML[pagination]}`

/** What is in the warehouse, apart from numbers of loads and times of runs. */
function holdings(place: Place): Promise<string[]> {
  return withEngine(place, async (engine) => {
    const rows = await engine.query(`
      select 'staged ' || concat_ws('|', event_id, learner_id, course_id, occurred_at, event_type, score, source) as line
      from staging.stg_learning_event
      union all select 'raw ' || payload::varchar from raw.raw_learning_events
      union all select 'fact ' || concat_ws('|', event_id, learner_key, course_key, occurred_at, score, source)
      from core.fact_learning_event
      order by line`)
    return rows.rows.map(([line]) => String(line))
  })
}

/** The same records from a file: what every way to them must come to. */
function oracle(count = COUNT): Promise<string[]> {
  const made = oracles.get(count) ?? fromFile(count)
  oracles.set(count, made)
  return made
}

const oracles = new Map<number, Promise<string[]>>()

async function fromFile(count: number): Promise<string[]> {
  const place = copyPlace(fresh, 'oracle')
  const lines = statements(count).map((text) => `${text.replaceAll('\n', ' ')}\n`)
  writeFileSync(join(place.root, 'statements.ndjson'), lines.join(''))
  await lpaOk(place, ['load', 'statements.ndjson', '--source', 'lrs'])
  await lpaOk(place, ['batch'])
  return holdings(place)
}

async function loaded(place: Place, options?: StartOptions): Promise<string[]> {
  await lpaOk(place, ['load', 'lrs'], options)
  await lpaOk(place, ['batch'])
  return holdings(place)
}

function refusal(ran: Ran): string {
  return `${ran.code} ${/LPA-[A-Z-]+/.exec(ran.stderr)?.[0]}`
}

describe.each(PAGINATIONS)('pagination by %s', (pagination) => {
  test('with something else wrong at every page brings what a file brings', async () => {
    const place = placeWith(pagination, { lrs: uri(pagination) })
    const faults = [
      { status: 503, headers: { 'Retry-After': '1' } },
      'cut',
      { status: 307, headers: { Location: '' } },
    ] as const
    const done = new Set<number>()
    server.fault = ({ page }) => {
      if (done.has(page)) return undefined
      done.add(page)
      return faults[page - 1]
    }
    const ran = await lpaOk(place, ['load', 'lrs'])
    expect(ran.stderr).toContain(
      `${server.url(pagination)}, page 1: The server is not able to answer (HTTP 503).`,
    )
    expect(ran.stderr).toContain('1 API: 10 records mapped, 0 rejected')
    await lpaOk(place, ['batch'])
    expect(await holdings(place)).toEqual(await oracle())
    expect(await faultsOf(place)).toEqual([])
    // The same again changes nothing.
    expect((await lpaOk(place, ['load', 'lrs'])).stderr).toContain('1 API without anything new')
  })
})

describe.each(isFull ? PAGINATIONS : (['more'] as const))('pagination by %s', (pagination) => {
  test('ended by kill -9 at any moment, the next run brings the same', async () => {
    const expected = await oracle()
    for (const seed of seeds(rounds(2, 12))) {
      await replayable(FILE, `pagination by ${pagination} ended by kill -9`, seed, async () => {
        const place = placeWith(`kill-${pagination}-${seed}`, {
          lrs: `${uri(pagination)}\nsince = "since"\nsince_path = "$.stored"`,
        })
        // Slow enough that the moment lies in the reading as often as in the commit.
        server.answer = (_, response, body) => {
          setTimeout(() => response.end(body), 80)
          return true
        }
        const running = startLpa(place, ['load', 'lrs'])
        await Promise.race([running.ended, sleep(250 + share(randomOf(seed)) * 1200)])
        running.child.kill('SIGKILL')
        await running.ended
        expect(await loaded(place)).toEqual(expected)
        expect(await faultsOf(place)).toEqual([])
      })
    }
  })
})

describe('nothing is loaded', () => {
  test.each([
    ['half a page', 'half', '65 LPA-API-PAGE'],
    ['a page for people', 'html', '65 LPA-API-PAGE'],
    ['a refusal', { status: 403 }, '77 LPA-API-STATUS'],
    [
      'a redirect elsewhere',
      { status: 302, headers: { Location: 'https://10.0.0.1/' } },
      '77 LPA-API-REDIRECT',
    ],
  ] as const)('of an API whose last page is %s', async (_, fault, expected) => {
    const place = placeWith('broken', { lrs: uri('more') })
    server.fault = ({ page }) => (page === 3 ? fault : undefined)
    const ran = await lpa(place, ['load', 'lrs'])
    expect(refusal(ran)).toBe(expected)
    expect(ran.stderr).toContain(`${server.url('more')}, page 3`)
    expect(await faultsOf(place)).toEqual([])
    expect(await holdings(place)).toEqual([])
  })

  test('of one whose certificate nobody trusts, whatever the environment says', async () => {
    const place = placeWith('untrusted', { lrs: uri('link') })
    const toml = join(place.root, 'lpa.toml')
    writeFileSync(toml, readFileSync(toml, 'utf8').replace(/^ca_file.*$/m, ''))
    const ran = await lpa(place, ['load', 'lrs'], { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } })
    expect(refusal(ran)).toBe('69 LPA-API-CONNECTION')
    expect(ran.stderr).toContain('ca_file = ')
    expect(server.asked).toEqual([])
  })

  test('of one for another name than its certificate has', async () => {
    const place = placeWith('name', { lrs: `uri = "https://localhost:${server.port}/link"` })
    const ran = await lpa(place, ['load', 'lrs'])
    expect(refusal(ran)).toBe('69 LPA-API-CONNECTION')
    expect(ran.stderr).toContain('Its certificate cannot be trusted')
    expect(server.asked).toEqual([])
  })

  test('of this machine, unless it is allowed', async () => {
    const place = placeWith('private', { lrs: uri('link') })
    const toml = join(place.root, 'lpa.toml')
    writeFileSync(toml, readFileSync(toml, 'utf8').replace(/^allow_private.*$/m, ''))
    expect(refusal(await lpa(place, ['load', 'lrs']))).toBe('77 LPA-API-ADDRESS')
    expect(server.asked).toEqual([])
  })

  test('of an address on the command line', async () => {
    const ran = await lpa(placeWith('address', {}), [
      'load',
      'https://user:pass-word@lms.example/x?token=canary',
    ])
    expect(refusal(ran)).toBe('2 LPA-INPUT-ADDRESS')
    expect(ran.stderr).not.toContain('canary')
  })

  test('while another source of the command cannot be opened', async () => {
    const place = placeWith('both', { lrs: uri('link'), other: `${uri('more')}\nauth = "bearer"` })
    const ran = await lpa(place, ['load', 'lrs', 'other'])
    expect(refusal(ran)).toBe('78 LPA-SOURCE-SECRET')
    expect(ran.stderr).toContain('LPA_SOURCES_OTHER_SECRET')
    expect(await holdings(place)).toEqual([])
  })
})

describe('what is new since the last load', () => {
  const since = 'since = "since"\nsince_path = "$.stored"'

  test('is all that is asked for; the overlap counts once', async () => {
    const place = placeWith('since', { lrs: `${uri('more')}\n${since}\noverlap = "3m"` })
    await lpaOk(place, ['load', 'lrs'])
    server.asked.length = 0
    server.records = statements(COUNT + 3)
    expect((await lpaOk(place, ['load', 'lrs'])).stderr).toContain('1 API: 6 records mapped')
    // The tenth was stored at 00:10:30.
    expect(server.asked[0]?.query.get('since')).toBe('2026-01-12T00:07:30.000Z')
    await lpaOk(place, ['batch'])
    const facts = (lines: readonly string[]) => lines.filter((line) => line.startsWith('fact'))
    expect(facts(await holdings(place))).toEqual(facts(await oracle(COUNT + 3)))
  })

  test('counts once by its id: a record without one is rejected, a mapping without is refused', async () => {
    const overlapping = `${uri('more')}\n${since}\noverlap = "3m"`
    const place = placeWith('ids', { lrs: overlapping, own: `${overlapping}\nmapping = "own.sql"` })
    const without = (index: number, texts: readonly string[]) =>
      texts.map((text, at) => (at === index ? text.replace(/"id": "[^"]*",/, '') : text))
    for (const count of [COUNT, COUNT + 3]) {
      server.records = without(COUNT - 1, statements(count))
      const { stderr } = await lpaOk(place, ['load', 'lrs', '--max-rejects', '1'])
      expect(stderr).toContain('event_id is missing')
    }
    await lpaOk(place, ['batch'])
    const facts = (await holdings(place)).filter((line) => line.startsWith('fact'))
    expect(facts).toHaveLength(COUNT + 2)

    const mapping = join(place.root, 'own.sql')
    const header =
      '-- entity: learning_event\n-- columns: who = $.actor.mbox, day = $.timestamp\n-- personal: who(learner)'
    const select = "select who as learner_id, day as occurred_at, 'viewed' as event_type from source"
    writeFileSync(mapping, `${header}\n${select}\n`)
    const ran = await lpa(place, ['load', 'own'])
    expect(`${refusal(ran)} ${ran.stderr}`).toMatch(/^78 LPA-API-NO-EVENT-ID .*own\.sql/s)
  })

  test('goes on from where it was when a load fails', async () => {
    const place = placeWith('fails', { lrs: `${uri('more')}\n${since}` })
    await lpaOk(place, ['load', 'lrs'])
    server.records = statements(COUNT + 6)
    server.fault = ({ page }) => (page === 2 ? 'half' : undefined)
    expect((await lpa(place, ['load', 'lrs'])).code).toBe(65)
    server.fault = () => undefined
    expect(await loaded(place)).toEqual(await oracle(COUNT + 6))
  })

  test('--dry-run does not move it', async () => {
    const place = placeWith('dry', { lrs: `${uri('more')}\n${since}` })
    expect((await lpaOk(place, ['load', 'lrs', '--dry-run'])).stderr).toContain('10 records would be mapped')
    expect((await lpaOk(place, ['load', 'lrs'])).stderr).toContain('10 records mapped')
  })

  test('--full reads everything again, in place of what was there', async () => {
    const place = placeWith('full', { lrs: `${uri('more')}\n${since}` })
    await lpaOk(place, ['load', 'lrs'])
    server.records = statements(COUNT + 2)
    await lpaOk(place, ['load', 'lrs'])
    // What the API does not have any more.
    server.records = statements(COUNT - 1)
    const ran = await lpaOk(place, ['load', 'lrs', '--full'])
    expect(ran.stderr).toContain('9 records mapped')
    await lpaOk(place, ['batch'])
    expect(await holdings(place)).toEqual(await oracle(COUNT - 1))
    server.records = []
    expect(refusal(await lpa(place, ['load', 'lrs', '--full']))).toBe('65 LPA-API-EMPTY')
    expect(await holdings(place)).toEqual(await oracle(COUNT - 1))
  })

  test('a new key asks for --full, and lpa says so', async () => {
    const place = placeWith('key', { lrs: `${uri('more')}\n${since}` })
    await lpaOk(place, ['load', 'lrs'])
    const rotated = await lpaOk(place, ['key', 'rotate'])
    expect(`${rotated.stdout}${rotated.stderr}`).toContain('lpa load lrs --full')
    expect(refusal(await lpa(place, ['load', 'lrs']))).toBe('78 LPA-API-POSITION')
    await lpaOk(place, ['load', 'lrs', '--full'])
    expect((await lpaOk(place, ['load', 'lrs'])).stderr).not.toContain('another key')
  })

  test('is no snapshot', async () => {
    const mapping = `-- entity: learning_event\n-- columns: id, who = $.actor.mbox, at = $.timestamp\n-- personal: who(email)\n-- export: snapshot\nselect id as event_id, who as learner_id, at as occurred_at, 'viewed' as event_type from source\n`
    const place = placeWith('snapshot', { lrs: `${uri('more')}\n${since}\nmapping = "all.sql"` })
    writeFileSync(join(place.root, 'all.sql'), mapping)
    expect(refusal(await lpa(place, ['load', 'lrs']))).toBe('78 LPA-API-SNAPSHOT')
    expect(server.asked).toEqual([])
  })
})

test('a bad record is quarantined with its page and its place there', async () => {
  const place = placeWith('rejects', { lrs: `${uri('more')}` })
  server.records = statements(COUNT).map((text, index) =>
    index === 5 ? text.replace(/"timestamp": "[^"]*"/, '"timestamp": "soon"') : index === 6 ? '7' : text,
  )
  const ran = await lpaOk(place, ['load', 'lrs', '--max-rejects', '2'])
  const where = `${server.url('more')}:page-2:record-`
  expect(ran.stderr).toContain(`${where}2: `)
  expect(ran.stderr).toContain(`${where}3: the record is not a JSON object`)
  const { stdout } = await lpaOk(place, ['rejects', 'list', '--format', 'csv'])
  expect(stdout).toContain(`${where}3`)
})

describe('secrets and people', () => {
  const learners = Array.from({ length: COUNT }, (_, index) => ({
    kind: 'email',
    value: `learner-${index + 1}@example.org`,
  }))

  async function searched(place: Place, rans: readonly Ran[]): Promise<unknown[]> {
    const searcher = new Searcher([
      { kind: 'secret', value: CANARY },
      { kind: 'token', value: 'token-Zw9-canary' },
      ...learners,
    ])
    for (const { stdout, stderr } of rans) searcher.text(`${stdout}${stderr}`, 'output')
    await searcher.folder(place.root, (path) => path === 'lrs.secret')
    return [...searcher.found]
  }

  test.each(['bearer', 'basic', 'oauth', 'query'] as const)(
    'of %s are nowhere',
    async (auth) => {
      const place = placeWith(`canary-${auth}`, {
        lrs: `${uri('more').replace('/more"', '/more?agent=learner-1@example.org"')}\nsince = "since"\nsince_path = "$.stored"\nauth = "${auth}"\nsecret_file = "lrs.secret"
${{ bearer: '', query: 'auth_name = "api_key"' }[auth as string] ?? 'user = "lpa"'}\n${auth === 'oauth' ? `token_uri = "${server.origin}/token"` : ''}`,
      })
      const file = join(place.root, 'lrs.secret')
      writeFileSync(file, `${CANARY}\n`, { mode: 0o644 })
      chmodSync(file, 0o644)
      const words = ['load', 'lrs', '-v', '-v', '--log-file', 'lpa.log', '--report', 'report.json']
      const rans = [await lpa(place, words)]
      expect(refusal(rans[0] as Ran)).toBe('77 LPA-SOURCE-SECRET-OPEN')
      chmodSync(file, 0o600)

      // What a server may send back of what it got.
      const echo = { Location: `https://evil.example/${CANARY}?token=token-Zw9-canary` }
      server.answer = ({ path }, response) => {
        if (path !== '/token') return false
        response.end('{"access_token": "token-Zw9-canary", "expires_in": 3600}')
        return true
      }
      for (const fault of [{ status: 401 }, { status: 302, headers: echo }, 'half', 'html'] as const) {
        server.fault = () => fault
        rans.push(await lpa(place, fault === 'half' ? [...words, '--json'] : words))
      }
      server.fault = () => undefined
      const last = server.asked.at(-1)
      expect(auth === 'query' ? last?.query.get('api_key') : last?.headers.authorization).toBe(
        {
          basic: `Basic ${Buffer.from(`lpa:${CANARY}`).toString('base64')}`,
          bearer: `Bearer ${CANARY}`,
          oauth: 'Bearer token-Zw9-canary',
          query: CANARY,
        }[auth],
      )
      rans.push(
        await lpaOk(place, words),
        await lpaOk(place, ['batch']),
        await lpaOk(place, ['runs', '--json']),
      )
      rans.push(await lpa(place, ['doctor']), await lpa(place, ['key', 'show']))
      const planted = new Searcher([{ kind: 'secret', value: CANARY }])
      await planted.file(file, 'lrs.secret')
      expect(planted.found, 'the search finds what is there').not.toEqual([])
      // lpa.toml holds the address that it was given; all else must not.
      expect(
        (await searched(place, rans)).filter((found) => !JSON.stringify(found).includes('lpa.toml')),
      ).toEqual([])
    },
    240_000,
  )

  test('the environment and the folder of systemd give a secret too', async () => {
    const place = placeWith('given', { 'my-lrs': `${uri('more')}\nauth = "bearer"` })
    await lpaOk(place, ['load', 'my-lrs'], { env: { LPA_SOURCES_MY_LRS_SECRET: CANARY } })
    expect(server.asked[0]?.headers.authorization).toBe(`Bearer ${CANARY}`)
    const credentials = newPlace('credentials').root
    writeFileSync(join(credentials, 'my-lrs.secret'), 'of systemd', { mode: 0o400 })
    server.asked.length = 0
    const toml = join(place.root, 'lpa.toml')
    // The key stays where it is.
    expect(readFileSync(toml, 'utf8')).toContain('\nkey_file')
    await lpaOk(place, ['load', 'my-lrs'], { env: { CREDENTIALS_DIRECTORY: credentials } })
    expect(server.asked[0]?.headers.authorization).toBe('Bearer of systemd')
  })
})

test('sources of files and of an API are loaded by one command', async () => {
  const place = placeWith('mixed', { lrs: uri('link') })
  writeFileSync(join(place.root, 'more.ndjson'), `${statements(1, 50)[0]?.replaceAll('\n', ' ')}\n`)
  const ran = await lpaOk(place, ['load', 'lrs', 'more.ndjson'])
  expect(ran.stderr).toContain('2 inputs: 11 records mapped')
})
