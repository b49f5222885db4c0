/** Ways to a warehouse on Snowflake beside files and topics: `up`, a directory, an API, what was rejected; and who learners are. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiServer, statements } from '../../../src/sources/api/server.test-support.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const event = (id: string, day: string) =>
  `{"event_id":"${id}","event_type":"viewed","learner_id":"S1","course_id":"C1","occurred_at":"2026-03-${day}T08:00:00Z"}\n`

describeLpaOnSnowflake('on Snowflake', () => {
  let place: LpaPlace
  let server: ApiServer
  beforeAll(async () => {
    server = await ApiServer.start()
    server.records = statements(10)
    place = await LpaPlace.create(
      `[load]\nmax_rejects = "50%"\n[sources.lrs]\nuri = "${server.url('link')}"\nallow_private = true\nid_space = "files"\nsince = "since"\nsince_path = "$.stored"\n`,
    )
    place.write(
      'exports/learners.csv',
      'learner_id,email,signed_up_on\nS1,a@x.example,2026-01-01\nS2,b@x.example,2026-01-02\n',
    )
    place.write(
      'exports/enrollments.csv',
      'enrollment_id,learner_id,course_id,enrolled_at,status\nE1,S1,C1,2026-03-01T08:00:00Z,active\nE2,S2,C1,yesterday,active\n',
    )
  })
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  const count = async (table: string) => Number(await place.value(`select count(*) from ${table}`))
  const nothingStaged = async () => expect((await place.sql('list @meta.staged_files')).rows.length).toBe(0)

  test('lpa up makes the tables, loads, builds and draws; once more it changes nothing', async () => {
    const up = ['up', 'exports', '--profile', 'prod']
    const ran = await place.lpaOk(up)
    expect(ran.stderr).toContain('exports/learners.csv: 2 of 2 records as learner\n')
    expect(ran.stderr).toContain('exports/enrollments.csv: 1 of 2 records as enrollment\n')
    expect(ran.stderr).toContain('Next, with --profile prod:')
    expect(ran.stdout).toContain('Overview')
    expect(await count('core.fact_enrollment')).toBe(1)
    const again = await place.lpaOk(up)
    expect(again.stderr).toContain('exports/learners.csv: loaded before, nothing changed')
    expect(again.stderr).toContain('core holds every load already, nothing changed')
  })

  test('lpa rejects requeue reads a file that was mended in the place of the earlier load', async () => {
    place.write(
      'exports/enrollments.csv',
      'enrollment_id,learner_id,course_id,enrolled_at,status\nE1,S1,C1,2026-03-01T08:00:00Z,active\nE2,S2,C1,2026-03-01T09:00:00Z,active\n',
    )
    const requeued = ['rejects', 'requeue']
    expect(await place.json(requeued)).toMatchObject([{ outcome: 'requeued', mended: 1, still_rejected: 0 }])
    expect(await count('staging.stg_enrollment')).toBe(2)
    expect(await count('meta.loads where superseded_by is not null')).toBe(1)
    expect(await count('raw.rejected_rows where requeued_at is null')).toBe(0)
    expect(await place.json(requeued)).toEqual([])
    await place.lpaOk(['batch', '--quiet'])
    expect(await count('core.fact_enrollment')).toBe(2)
    await nothingStaged()
  })

  test('lpa stream dir: loads each file once as it appears, and the facts follow', async () => {
    const stream = ['stream', 'dir:incoming', '--until-caught-up']
    place.write('incoming/a.ndjson', event('a', '02') + event('b', '03'))
    expect((await place.lpaOk(stream)).stderr).toContain('2 records mapped, 0 rejected in 1 file')
    place.write('incoming/b.ndjson', event('c', '20'))
    place.write('incoming/copy.ndjson', event('a', '02') + event('b', '03'))
    expect((await place.lpaOk(stream)).stderr).toContain('1 record mapped, 0 rejected in 1 file')
    expect((await place.lpaOk(stream)).stderr).toContain('lpa stream: nothing new')
    expect(await count('core.fact_learning_event')).toBe(3)
    await nothingStaged()
  })

  test('lpa query --reveal says who learners are, and the run that asked is in the history', async () => {
    // Who may is the policy's to say.
    await place.lpaOk(['grant', 'apply'])
    const words = ['query', 'at-risk', '--reveal', 'exports/learners.csv:learner_id']
    const told = await place.json<readonly { readonly roster_learner_id: string }[]>(words)
    expect(told.map((row) => row.roster_learner_id)).toEqual(['S2'])
    const runs = await place.json<readonly object[]>(['runs'])
    expect(runs[0]).toMatchObject({
      command: 'query',
      exit_code: 0,
      summary: expect.stringContaining('reveals learners of at-risk'),
    })
  })

  test('lpa load of an API asks for what is new since, and counts once what comes again', async () => {
    expect((await place.lpaOk(['load', 'lrs'])).stderr).toContain('1 API: 10 records mapped')
    server.reset()
    server.records = statements(13)
    await place.lpaOk(['load', 'lrs', '--quiet'])
    expect(server.asked[0]?.query.get('since')).toMatch(/^2026-01-12T/)
    await place.lpaOk(['batch', '--quiet'])
    expect(await count(`core.fact_learning_event where source = 'lrs'`)).toBe(13)
    await nothingStaged()
  })

  test('was sent as Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })
})
