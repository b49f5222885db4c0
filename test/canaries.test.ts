/**
 * Secrets of every kind are planted where lpa takes them; runs that end well and badly, as talkative as can be, leave
 * none of them in what they print, log, report, record or write.
 */

import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pads, readKey } from '../src/pseudonym.ts'
import { initPlace, lpa, newPlace, type Place, removePlaces, type StartOptions } from './faults/lpa.ts'
import { Searcher, type Wanted } from './faults/search.ts'

/** Where secrets lie that are given to lpa in files. */
const GIVEN = /^(pseudonym\.key.*|secrets\/.*|\.snowflake\/.*)$/
/** Nothing listens there. */
const NOBODY = '127.0.0.1:1'

const CANARIES = {
  'a source, in a file': 'c4nary-bus/of+the=file',
  'a token of Spark': 'c4nary-spark-token',
  'a password of Snowflake': 'c4nary-snow-file',
  'a password that was typed': 'c4nary-typed-password',
  'a token that was typed': 'c4nary-typed-token',
  'a password in an address of lpa.toml': 'c4nary-in-an-address',
  'a secret in lpa.toml, where none may be': 'c4nary-in-the-toml',
} as const

const ENV = {
  SPARK_CONNECT_AUTHENTICATE_TOKEN: CANARIES['a token of Spark'],
}

const TOML = `
[spark]
address = "sc://${NOBODY}"
[sources.bus]
uri = "kafka://${NOBODY}/clicks"
auth = "scram-sha-512"
user = "lpa"
secret_file = "secrets/bus.secret"
[sources.drop]
uri = "dir:exports"
[profiles.snow.warehouse]
engine = "snowflake"
connection = "prod"
`

let place: Place
const said: string[] = []
afterAll(removePlaces)

beforeAll(async () => {
  place = await initPlace('canaries', TOML)
  const put = (name: string, text: string) => {
    mkdirSync(join(place.root, name, '..'), { recursive: true, mode: 0o700 })
    writeFileSync(join(place.root, name), text, { mode: 0o600 })
  }
  put('secrets/bus.secret', `${CANARIES['a source, in a file']}\n`)
  put(
    '.snowflake/connections.toml',
    `[prod]\naccount = "a"\nuser = "u"\ndatabase = "d"\nhost = "127.0.0.1"\nport = 1\nprotocol = "http"\npassword = "${CANARIES['a password of Snowflake']}"\n`,
  )
  put('exports/courses.csv', 'course_id,course_title\nC1,One\n')
  put('exports/bad.csv', 'course_id,course_title\n"C2,Two\n')
})

async function say(words: readonly string[], options: StartOptions = {}): Promise<number | null> {
  const more = ['-vv', '--log-file', 'lpa.log', '--report', `report-${said.length}.json`]
  const { code, stdout, stderr } = await lpa(place, [...words, ...more], {
    ...options,
    env: { ...ENV, ...options.env },
  })
  said.push(`${stdout}${stderr}`)
  return code
}

test.each([
  ['stream bus --until-caught-up --metrics-file bus.prom', 69],
  ['stream drop --until-caught-up --metrics-file drop.prom', 65],
  ['batch --engine spark', 69],
  ['doctor --profile snow --json', 1],
  [`stream kafka://bob:${CANARIES['a password that was typed']}@${NOBODY}/t --until-caught-up`, 78],
  [
    `load https://${CANARIES['a token that was typed']}@lms.example/x?api_key=${CANARIES['a token that was typed']}`,
    2,
  ],
  ['load exports/courses.csv --source lms', 0],
  ['load exports/bad.csv --json', 65],
  ['batch', 0],
  ['key show', 0],
  ['key rotate', 0],
  ['runs --json', 0],
  ['doctor --verify', 1],
] as const)('lpa %s ends with %i', async (words, code) => {
  const ended = await say(words.split(' '))
  expect(ended, said.at(-1)).toBe(code)
})

test.each([
  [
    'an address',
    'a password in an address of lpa.toml',
    (secret: string) => `uri = "https://bob:${secret}@lms.example/x"`,
  ],
  [
    'a key of its own',
    'a secret in lpa.toml, where none may be',
    (secret: string) => `uri = "https://lms.example/x"\npassword = "${secret}"`,
  ],
] as const)('lpa.toml with a secret in %s is refused', async (_, canary, text) => {
  const other = newPlace('canary-toml')
  appendFileSync(join(other.root, 'lpa.toml'), `[sources.lms]\n${text(CANARIES[canary])}\n`)
  const { code, stdout, stderr } = await lpa(other, ['load', 'lms', '-vv'])
  said.push(`${stdout}${stderr}`)
  expect(code, stderr).toBe(78)
})

test('no secret is anywhere', async () => {
  const files = ['pseudonym.key', 'lpa.log', 'drop.prom', 'warehouse/catalog.sqlite']
  for (const name of files) expect(readFileSync(join(place.root, name)).length).toBeGreaterThan(0)
  const wanted: Wanted[] = [
    ...Object.entries(CANARIES).map(([kind, value]) => ({ kind, value })),
    ...keyForms().map((value) => ({ kind: 'a pseudonym key', value })),
  ]
  const planted = new Searcher(wanted)
  await planted.folder(place.root, (path) => !GIVEN.test(path))
  expect(planted.found.map(({ what }) => what)).toEqual(
    expect.arrayContaining(['a pseudonym key as text', 'a source, in a file as text']),
  )
  const searcher = new Searcher(wanted)
  for (const [index, text] of said.entries()) searcher.text(text, `what was said, ${index}`)
  await searcher.folder(place.root, (path) => GIVEN.test(path))
  expect(searcher.found).toEqual([])
})

/** The key and the one before it, as they lie in their files and as they are used. */
function keyForms(): string[] {
  const names = readdirSync(place.root).filter((name) => name.startsWith('pseudonym.key'))
  expect(names).toHaveLength(2)
  return names.flatMap((name) => {
    const key = readKey(join(place.root, name))
    const { inner, outer } = pads(key)
    return [key.secret.toString('hex'), key.secret.toString('base64').replace(/=+$/, ''), inner, outer]
  })
}
