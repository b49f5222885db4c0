import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConfigRequest, loadConfig } from './config.ts'
import { UserError } from './errors.ts'
import { scrub } from './secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-config-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function load(toml: string | undefined, request: Partial<ConfigRequest> = {}) {
  if (toml !== undefined) writeFileSync(join(folder, 'lpa.toml'), toml)
  return loadConfig({ cwd: folder, env: {}, ...request })
}

function failure(toml: string | undefined, request: Partial<ConfigRequest> = {}): UserError {
  try {
    load(toml, request)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

const FULL = `
[warehouse]
engine = "duckdb"
timezone = "Europe/Berlin"
path = "data/warehouse"
threads = 2
[privacy]
key_file = "secret/pseudonym.key"
[load]
max_rejects = 20
lock_wait = "30s"

[sources.lms]
uri = "exports/*.csv.gz"
mapping = "mappings/lms.sql"
[sources.video]
uri = "https://lrs.example/xapi"
mapping = ["xapi", "extra.sql"]
id_space = "lms"

[terms]
"2026 autumn" = { from = 2026-09-01, to = "2026-12-20" }
"2026 spring" = { from = 2026-01-12, to = 2026-05-30 }

[profiles.prod.warehouse]
engine = "snowflake"
connection = "prod"
[profiles.prod.sources.lms]
uri = "s3/lms/*.parquet"
`

describe('loadConfig', () => {
  it('has defaults when there is no file', () => {
    expect(load(undefined)).toMatchObject({
      root: folder,
      warehouse: {
        engine: 'duckdb',
        timezone: 'UTC',
        path: join(folder, 'warehouse'),
        payload: 'json',
        attributes: 'json',
        memoryLimit: '600MB',
      },
      privacy: { keyFile: join(folder, 'pseudonym.key'), minCell: 10 },
      load: { maxRejects: '1%', lockWaitMs: 0 },
      metrics: { sessionGapMinutes: 30, atRiskDays: 7 },
      sources: {},
      terms: [],
      origin: { 'warehouse.path': 'default' },
    })
  })

  it('reads everything a file can say, and where', () => {
    const config = load(FULL)
    expect(config).toMatchObject({
      file: join(folder, 'lpa.toml'),
      warehouse: { timezone: 'Europe/Berlin', path: join(folder, 'data/warehouse'), threads: 2 },
      privacy: { keyFile: join(folder, 'secret/pseudonym.key') },
      load: { maxRejects: '20', lockWaitMs: 30_000 },
      sources: {
        lms: {
          uri: join(folder, 'exports/*.csv.gz'),
          mapping: join(folder, 'mappings/lms.sql'),
          idSpace: 'lms',
        },
        video: {
          uri: 'https://lrs.example/xapi',
          mapping: ['xapi', join(folder, 'extra.sql')],
          idSpace: 'lms',
        },
      },
      terms: [
        { name: '2026 spring', from: '2026-01-12', to: '2026-05-30' },
        { name: '2026 autumn', from: '2026-09-01', to: '2026-12-20' },
      ],
    })
    expect(config.origin).toMatchObject({
      'warehouse.path': 'lpa.toml:5',
      'load.lock_wait': 'lpa.toml:11',
      'sources.video.id_space': 'lpa.toml:19',
      'privacy.min_cell': 'default',
    })
  })

  it('shows nobody a token in the address of Spark', () => {
    load('[spark]\naddress = "sc://spark.example.org/;token=canary-1f2e"\n')
    expect(scrub('canary-1f2e')).toBe('[secret]')
  })

  it('prefers flags to environment to profile to file to defaults', () => {
    const env: Record<string, string> = { LPA_PROFILE: 'prod' }
    expect(load(FULL, { env })).toMatchObject({
      profile: 'prod',
      warehouse: { engine: 'snowflake', connection: 'prod', timezone: 'Europe/Berlin' },
      sources: { lms: { uri: join(folder, 's3/lms/*.parquet'), mapping: join(folder, 'mappings/lms.sql') } },
      origin: { 'warehouse.engine': 'lpa.toml:26 (profile prod)', 'warehouse.timezone': 'lpa.toml:4' },
    })
    env.LPA_WAREHOUSE_ENGINE = 'spark'
    env.LPA_LOAD_LOCK_WAIT = '1m'
    expect(load(FULL, { env })).toMatchObject({
      warehouse: { engine: 'spark' },
      load: { lockWaitMs: 60_000 },
      origin: { 'warehouse.engine': 'LPA_WAREHOUSE_ENGINE', 'load.lock_wait': 'LPA_LOAD_LOCK_WAIT' },
    })
    expect(load(FULL, { env, flags: { settings: { 'load.lock_wait': '2s' } } })).toMatchObject({
      load: { lockWaitMs: 2000 },
      origin: { 'load.lock_wait': '--lock-wait' },
    })
  })

  it('is found upwards; its paths start at its folder, those of the environment at the working directory', () => {
    writeFileSync(join(folder, 'lpa.toml'), '[warehouse]\npath = "w"\n')
    const below = join(folder, 'a', 'b')
    mkdirSync(below, { recursive: true })
    const config = loadConfig({ cwd: below, env: { LPA_PRIVACY_KEY_FILE: 'my.key' } })
    expect(config.root).toBe(folder)
    expect(config.warehouse.path).toBe(join(folder, 'w'))
    expect(config.privacy.keyFile).toBe(join(below, 'my.key'))
  })

  it("takes the key from systemd's credentials folder unless told otherwise", () => {
    const env = { CREDENTIALS_DIRECTORY: '/run/credentials/lpa.service' }
    expect(load('[warehouse]\n', { env }).privacy.keyFile).toBe('/run/credentials/lpa.service/pseudonym.key')
    expect(load('[privacy]\nkey_file = "k"\n', { env }).privacy.keyFile).toBe(join(folder, 'k'))
  })

  it('lets variables that are not settings be', () => {
    expect(load(undefined, { env: { LPA_FAILPOINT: 'x', LPA_LOG: '1' } }).profile).toBeUndefined()
  })
})

describe('refuses', () => {
  it.each([
    ['[warehose]\n', 'lpa.toml:1', 'warehose is not a setting.', 'Did you mean warehouse?'],
    [
      '# c\n[warehouse]\npaht = "x"\n',
      'lpa.toml:3',
      'warehouse.paht is not a setting.',
      'Did you mean warehouse.path?',
    ],
    [
      '[warehouse]\nmin_cell = 5\n',
      'lpa.toml:2',
      'warehouse.min_cell is not a setting.',
      'It belongs under [privacy].',
    ],
    [
      '[sources.lms]\nuri = "x"\nidspace = "y"\n',
      'lpa.toml:3',
      'sources.lms.idspace is not a setting.',
      'Did you mean sources.lms.id_space?',
    ],
    [
      '[profiles.prod.warehouse]\nengin = "duckdb"\n',
      'lpa.toml:2',
      'profiles.prod.warehouse.engin is not a setting.',
      'Did you mean profiles.prod.warehouse.engine?',
    ],
    [
      '[profiles.prod.profiles]\n',
      'lpa.toml:1',
      'profiles.prod.profiles is not a setting.',
      'Known here: warehouse, spark, privacy, security, load, query, metrics, dash, sources.',
    ],
    [
      'warehouse = 3\n',
      'lpa.toml:1',
      'warehouse is a value, but should be a table.',
      /Write it as \[warehouse\]/,
    ],
    [
      '[warehouse]\nengine = "duckbd"\n',
      'lpa.toml:2',
      'warehouse.engine is "duckbd". It should be one of duckdb, snowflake, spark.',
      'Did you mean "duckdb"?',
    ],
    ['[metrics]\nsession_gap_minutes = 721\n', 'lpa.toml:2', /is 721\. .* from 1 to 720/, undefined],
    ['[dash]\nrefresh = "100ms"\n', 'lpa.toml:2', /"100ms".* 250ms or more/, undefined],
    ['[dash]\ntheme = "drak"\n', 'lpa.toml:2', /one of ansi, dark/, 'Did you mean "dark"?'],
    ['[warehouse]\nthreads = 0\n', 'lpa.toml:2', /threads is 0\. .* 1 or more/, undefined],
    ['[warehouse]\ntimezone = "Mars/Olympus"\n', 'lpa.toml:2', /"Mars\/Olympus".*time zone/, undefined],
    ['[warehouse]\nmemory_limit = "lots"\n', 'lpa.toml:2', /"lots".*600MB/, undefined],
    [
      '[load]\nlock_wait = 5\n',
      'lpa.toml:2',
      /load\.lock_wait is 5\. It should be a number and a unit/,
      undefined,
    ],
    ['[load]\nmax_rejects = "200%"\n', 'lpa.toml:2', /"200%"/, undefined],
    ['[load]\nmax_rejects = true\n', 'lpa.toml:2', /is true/, undefined],
    ['[sources.lms]\nformat = "csv"\n', 'lpa.toml:1', /sources\.lms\.uri is null/, undefined],
    ['[sources.lms]\nuri = "x"\nmapping = [1]\n', 'lpa.toml:3', /sources\.lms\.mapping is \[1\]/, undefined],
    ['[terms.a]\nfrom = 2026-02-30\nto = 2026-03-01\n', 'lpa.toml:2', /a day that exists/, undefined],
    ['[terms.a]\nfrom = "2026-02-30"\nto = 2026-03-01\n', 'lpa.toml:2', /"2026-02-30"/, undefined],
    ['[terms.a]\nfrom = 2026-03-02\nto = 2026-03-01\n', 'lpa.toml:1', /ends .* before it starts/, undefined],
    [
      '[terms]\na = {from = 2026-01-01, to = 2026-03-01}\nb = {from = 2026-03-01, to = 2026-04-01}\n',
      'lpa.toml:3',
      /Terms a and b overlap on 2026-03-01/,
      undefined,
    ],
    ['[warehouse\n', 'lpa.toml:1:11', /not TOML/, undefined],
  ])('%j', (toml, where, message, next) => {
    const error = failure(toml)
    expect(error.message).toMatch(message)
    if (typeof message === 'string') expect(error.message).toBe(message)
    expect(error.where).toBe(where)
    expect(error.exitCode).toBe(78)
    if (next instanceof RegExp) expect(error.next.join('\n')).toMatch(next)
    else if (next !== undefined) expect(error.next).toEqual([next])
  })

  it('a misspelt variable', () => {
    const error = failure('', { env: { LPA_WAREHOUSE_PAHT: 'x' } })
    expect(error.message).toBe('The environment variable LPA_WAREHOUSE_PAHT is not a setting.')
    expect(error.next).toEqual(['Did you mean LPA_WAREHOUSE_PATH?'])
  })

  it('a profile that is not there', () => {
    const error = failure('[profiles.prod.warehouse]\n', { flags: { profile: 'prd' } })
    expect(error.message).toBe('There is no profile prd.')
    expect(error.next).toEqual(['Did you mean prod?'])
    expect(failure('', { flags: { profile: '__proto__' } }).code).toBe('LPA-CONFIG-PROFILE')
  })

  it('a file that is named but is not there', () => {
    const error = failure(undefined, { flags: { config: 'nothing.toml' } })
    expect(error.message).toBe('There is no configuration file nothing.toml.')
    expect(error.exitCode).toBe(78)
  })

  it('a wrong flag as a usage error', () => {
    const error = failure('', { flags: { settings: { 'load.lock_wait': 'soon' } } })
    expect(error.where).toBe('--lock-wait')
    expect(error.exitCode).toBe(2)
  })

  it('a folder where the file should be', () => {
    mkdirSync(join(folder, 'lpa.toml'))
    expect(failure(undefined).code).toBe('LPA-CONFIG-READ')
  })
})

describe('an HTTP API', () => {
  const api = (more: string) => `[sources.lrs]\nuri = "https://lrs.example/xapi/statements?limit=5"\n${more}`

  it('is read with what is said, and with what is usual', () => {
    const toml = api(
      'auth = "oauth"\nuser = "id"\ntoken_uri = "https://id.example/token"\nsecret_file = "s"\nsince = "from"\noverlap = "1m"\n',
    )
    expect(load(toml).sources.lrs?.api).toEqual({
      ...{
        url: 'https://lrs.example/xapi/statements?limit=5',
        pagination: 'link',
        records: '$',
        headers: {},
      },
      ...{ auth: 'oauth', user: 'id', tokenUri: 'https://id.example/token', secretFile: join(folder, 's') },
      ...{ since: 'from', overlapMs: 60_000, resume: false, maxPages: 10_000, timeoutMs: 60_000 },
      ...{ allowPrivate: false, secretVariable: 'LPA_SOURCES_LRS_SECRET' },
    })
    const env = { CREDENTIALS_DIRECTORY: '/run/credentials/lpa.service' }
    expect(load(api('auth = "bearer"\n'), { env }).sources.lrs?.api?.secretFile).toBe(
      '/run/credentials/lpa.service/lrs.secret',
    )
    expect(load('[sources.files]\nuri = "x"\n').sources.files?.api).toBeUndefined()
  })

  it.each([
    ['pagination = "pages"\n', /pages".*one of link, more, cursor, page, offset/],
    ['pagination = "cursor"\n', /needs to know where a page tells the next cursor/],
    ['next = "$.next"\n', /does nothing without pagination = /],
    ['pagination = "more"\nparameter = "p"\n', /does nothing without pagination = /],
    ['records = "data"\n', /a JSON path such as/],
    ['since_path = "$.stored"\n', /does nothing without since = /],
    ['overlap = "1m"\n', /does nothing without since = /],
    ['resume = true\n', /does nothing without pagination = /],
    ['pagination = "cursor"\nnext = "$.n"\nresume = true\nsince = "s"\n', /say the same thing in two ways/],
    ['auth = "basic"\n', /needs a user/],
    ['auth = "oauth"\nuser = "id"\n', /needs the address that gives tokens/],
    ['auth = "oauth"\nuser = "id"\ntoken_uri = "http://id.example/token"\n', /token_uri is not encrypted/],
    ['user = "lpa"\n', /does nothing without auth = /],
    ['auth = "header"\n', /needs to know which header/],
    ['auth = "query"\n', /needs to know which parameter/],
    ['auth = "header"\nauth_name = "Host"\n', /auth_name is no header that can be sent/],
    ['auth = "bearer"\nauth_name = "X-Api-Key"\n', /auth_name does nothing without/],
    ['auth = "bearer"\ntoken_auth = "body"\n', /token_auth does nothing without/],
    ['headers = {Authorization = "Bearer canary"}\n', /holds a secret in clear: Authorization/],
    ['headers = {X-Api-Key = "canary"}\n', /holds a secret in clear: X-Api-Key/],
    ['headers = {"a b" = "canary"}\n', /a table of texts/],
    ['headers = {a = "canary\\r\\nb: c"}\n', /a table of texts/],
    ['timeout = "soon"\n', /a number and a unit/],
    ['max_pages = 0\n', /1 or more/],
  ])('refuses %j', (more, message) => {
    const error = failure(api(more))
    expect(error).toMatchObject({ exitCode: 78, message: expect.stringMatching(message) })
    expect(error.where).toMatch(/^lpa\.toml:\d+$/)
    expect(JSON.stringify([error.message, error.next])).not.toContain('canary')
  })

  it.each([
    ['http://lrs.example/x', /not encrypted/],
    ['https://user:canary@lrs.example/x', /holds a secret in clear\./],
    ['https://lrs.example/x?access_token=canary', /holds a secret in clear: access_token/],
    ['https://', /is no address/],
  ])('refuses the address %s', (uri, message) => {
    const error = failure(`[sources.lrs]\nuri = "${uri}"\n`)
    expect(error).toMatchObject({ exitCode: 78, message: expect.stringMatching(message) })
    expect(JSON.stringify([error.message, error.next])).not.toContain('canary')
  })

  it('is what README shows', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const shown = /```toml\n(\[sources\.lrs\][^`]*)```/.exec(readme)?.[1] ?? ''
    expect(load(shown).sources.lrs?.api).toMatchObject({
      ...{ pagination: 'more', records: '$.statements', auth: 'basic', user: 'lpa', overlapMs: 600_000 },
      headers: { 'X-Experience-API-Version': '1.0.3' },
    })
  })

  it('has keys that files have not', () => {
    expect(failure('[sources.lms]\nuri = "exports/*"\nrecords = "$.data"\n')).toMatchObject({
      message: 'sources.lms.records is of HTTP APIs only.',
      where: 'lpa.toml:3',
    })
    expect(failure('[sources.lms]\nuri = "exports/*"\nuser = "lpa"\n')).toMatchObject({
      message: 'sources.lms.user is of HTTP APIs and Kafka only.',
    })
  })
})

describe('topics of Kafka', () => {
  const kafka = (uri: string, more = '') => `[sources.bus]\nuri = "${uri}"\n${more}`

  it('are read with what is said, and with what is usual', () => {
    const toml = kafka(
      'kafka://b1,b2:9093,[::1]:9094/clicks,xapi.statements,clicks',
      'auth = "plain"\nuser = "lpa"\nsecret_file = "s"\nca_file = "ca.pem"\ngroup = "etl"\n',
    )
    expect(load(toml).sources.bus?.kafka).toEqual({
      ...{ brokers: ['b1:9092', 'b2:9093', '[::1]:9094'], topics: ['clicks', 'xapi.statements'] },
      ...{
        auth: 'plain',
        user: 'lpa',
        secretVariable: 'LPA_SOURCES_BUS_SECRET',
        secretFile: join(folder, 's'),
      },
      ...{ tls: true, caFile: join(folder, 'ca.pem'), group: 'etl' },
    })
  })

  it.each([
    ['kafka://127.0.0.1:9092/t', '', false],
    ['kafka://localhost/t', '', false],
    ['kafka://localhost,bus.example/t', '', true],
    ['kafka://bus.example/t', 'tls = false\n', false],
  ])('%s with %j: TLS %s', (uri, more, tls) => {
    expect(load(kafka(uri, more)).sources.bus?.kafka).toMatchObject({ tls, group: 'lpa-bus' })
  })

  it.each([
    ['kafka://b1:9092', '', /names no topic/],
    ['kafka://b1:9092/', '', /names no topic/],
    ['kafka://b1:9092/a,,b', '', /names no topic/],
    ['kafka://b1:9092/a b', '', /names no topic/],
    ['kafka:///t', '', /names no broker/],
    ['kafka://b1:99999/t', '', /names no broker/],
    ['kafka://lpa:canary@b1:9092/t', '', /holds a user or a password in clear/],
    ['kafka://b1:9092/t', 'auth = "gssapi"\n', /one of plain, scram-sha-256, scram-sha-512/],
    ['kafka://b1:9092/t', 'auth = "scram-sha-256"\n', /needs a user/],
    ['kafka://b1:9092/t', 'user = "lpa"\n', /does nothing without auth/],
    ['kafka://b1:9092/t', 'auth = "plain"\nuser = "u"\ntls = false\n', /would send the password in clear/],
    ['kafka://localhost/t', 'ca_file = "ca.pem"\n', /does nothing without tls = true/],
    ['kafka://b1:9092/t', 'since = "s"\n', /is of HTTP APIs only/],
  ])('%s with %j is refused', (uri, more, message) => {
    const error = failure(kafka(uri, more))
    expect(error).toMatchObject({ exitCode: 78, message: expect.stringMatching(message) })
    expect(error.where).toMatch(/^lpa\.toml:\d+$/)
    expect(JSON.stringify([error.message, error.next])).not.toContain('canary')
  })
})
