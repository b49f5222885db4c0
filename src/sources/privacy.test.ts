import { readdirSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { type PersonalClass, pseudonym } from '../pseudonym.ts'
import { StageFolder, testKey } from './stage.test-support.ts'

// What a mapping declares personal never leaves stage one in clear, wherever in the record it stands.

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

const hash = (kind: PersonalClass, value: string, space = 'test') => pseudonym(testKey, kind, space, value)

const event = `select id as event_id, 'viewed' as event_type, time as occurred_at, who as learner_id`
const columns = 'id, time, who = $.actor.id'
const record = {
  id: 'e1',
  time: '2026-01-01T00:00:00Z',
  actor: {
    id: 'clear-id',
    name: 'Clear Name',
    mail: 'clear@example.org',
    role: 'student',
    team: { lead: 'clear-lead', size: 3 },
  },
}
const line = `${JSON.stringify(record)}\n`

let files = 0
async function staged(mapping: string, content = line, name = 'ndjson') {
  files += 1
  const result = await folder.stage(`${files}.${name}`, content, mapping)
  const everything = await folder.everything(result)
  const [row] = await folder.rows<Record<string, string>>(result, '*')
  const [raw] = await folder.rows<{ payload: string }>(result, 'payload', 'raw.')
  return { row, payload: JSON.parse(raw?.payload ?? 'null'), everything, counts: result.batch.load.counts }
}

describe('in JSON', () => {
  test('at its own path: the column and the payload hold the pseudonym', async () => {
    const { row, payload, everything } = await staged(`-- entity: learning_event
-- columns: ${columns}
-- personal: who(learner)
${event} from source`)
    expect(row?.learner_id).toBe(hash('learner', 'clear-id'))
    expect(payload).toEqual({ id: 'e1', time: record.time, actor: { id: hash('learner', 'clear-id') } })
    expect(everything).not.toContain('clear')
  })

  test('declared by its path, without a column of its own', async () => {
    const { payload } = await staged(`-- entity: learning_event
-- columns: ${columns}
-- personal: $.actor.id(learner), $.actor.mail(email), $.actor.name(name)
${event} from source`)
    expect(payload.actor).toEqual({
      id: hash('learner', 'clear-id'),
      mail: hash('email', 'clear@example.org'),
    })
  })

  test('inside an object that is kept whole', async () => {
    const { row, payload, everything } = await staged(`-- entity: learning_event
-- columns: ${columns}, actor json
-- personal: $.actor.id(learner), $.actor.mail(email), $.actor.name(name), $.actor.team.lead(instructor)
${event}, actor as attributes from source`)
    const kept = {
      id: hash('learner', 'clear-id'),
      mail: hash('email', 'clear@example.org'),
      role: 'student',
      team: { lead: hash('instructor', 'clear-lead'), size: 3 },
    }
    expect(payload.actor).toEqual(kept)
    expect(JSON.parse(row?.attributes ?? '')).toEqual(kept)
    expect(row?.learner_id).toBe(hash('learner', 'clear-id'))
    expect(everything).not.toMatch(/clear/i)
  })

  test('inside an object that is kept by a path, by a wildcard, or read by the SELECT', async () => {
    for (const [header, select] of [
      ['-- keep: $.actor', ''],
      ['-- keep: $.actor.*', ''],
      ['-- not-personal: x', `, payload ->> '$.actor' as "attributes.x"`],
    ]) {
      const { everything, payload } = await staged(`-- entity: learning_event
-- columns: ${columns}
-- personal: $.actor.id(learner), $.actor.mail(email), $.actor.name(drop), $.actor.team(drop)
${header}
${event}${select} from source`)
      expect(everything).not.toMatch(/clear/i)
      expect(payload.actor.role).toBe('student')
      expect(payload.actor).not.toHaveProperty('team')
    }
  })

  test('everything inside a personal value is personal', async () => {
    const { everything } = await staged(
      `-- entity: learning_event
-- columns: id, time, who = $.who, named = $.actor.name, lead = $.actor.team.lead
-- personal: who(learner), $.actor(drop)
${event}, named as "attributes.named", lead as "attributes.lead" from source`,
      line.replace('"actor"', '"who":"w","actor"'),
    )
    expect(everything).not.toMatch(/clear/i)
  })

  test.each([
    ['a list where an object should be', { actor: [{ mail: 'clear@example.org', id: 'clear-id' }] }],
    ['a text where an object should be', { actor: 'clear-id' }],
    ['a list deeper down', { actor: { id: 'x', team: [{ lead: 'clear-lead' }] } }],
    ['an object where a text should be', { actor: { id: { name: 'clear' }, mail: { a: ['clear'] } } }],
  ])('%s', async (_, other) => {
    const { everything } = await staged(
      `-- entity: learning_event
-- columns: id, time, actor json, who = $.who
-- personal: who(learner), $.actor.id(learner), $.actor.mail(email), $.actor.team.lead(learner)
${event}, actor as "attributes.actor" from source`,
      `${JSON.stringify({ ...record, who: 'w', ...other })}\n`,
    )
    expect(everything).not.toContain('clear')
  })

  test('a key that stands twice, and a key with quotes in it', async () => {
    const { everything, counts } = await staged(
      `-- entity: learning_event
-- columns: id, time, who = $.who, box json
-- personal: who(learner), $.box.mail(email), $.box."a \\"b\\" c"(drop)
${event}, box as attributes from source`,
      '{"id":"e1","time":"2026-01-01T00:00:00Z","who":"w","box":{"mail":"clear-1","mail":"clear-2","a \\\\"b\\\\" c":"clear-3","x":1}}\n'.replaceAll(
        '\\\\',
        '\\',
      ),
    )
    expect(everything).not.toContain('clear')
    expect(counts.mapped).toBe(1)
  })

  test('a list of people', async () => {
    const { row, payload } = await staged(
      `-- entity: learning_event
-- columns: id, time, who = $.who, people
-- personal: who(learner), people(learner[])
${event}, people as "attributes.people" from source`,
      '{"id":"e1","time":"2026-01-01T00:00:00Z","who":"w","people":["a"," b ",""]}\n{"id":"e2","time":"2026-01-01T00:00:00Z","who":"w","people":{"odd":1}}\n{"id":"e3","time":"2026-01-01T00:00:00Z","who":"w","people":"c;d"}\n',
    )
    const both = `${hash('learner', 'a')},${hash('learner', 'b')}`
    expect(JSON.parse(row?.attributes ?? '')).toEqual({ people: both })
    expect(payload.people).toBe(both)
  })

  test('in a record that is rejected', async () => {
    const { everything, counts } = await staged(
      `-- entity: learning_event\n-- columns: ${columns}, score = $.score number\n-- personal: who(learner)\n${event}, score from source`,
      `${line}${JSON.stringify({ ...record, id: 'e2', score: 140 })}\n{"actor":{"id":"clear-id"\n`,
    )
    expect(counts).toMatchObject({ read: 3, mapped: 1, rejected: 2 })
    expect(everything).not.toMatch(/clear/i)
  })
})

describe('in a table', () => {
  const table = (header: string, select = 'select who as learner_id, country, "Born" as "attributes.born"') =>
    `-- entity: learner\n${header}\n${select} from source`
  const csv = 'Who, Mail ,Born,Country,Phone\nclear-1,Clear@Example.org,1999-12-31,DE,+49 170 1234567\n'

  test('the names of columns know no case, in the header of the mapping as in its SELECT', async () => {
    const { row, everything } = await staged(
      table(
        '-- personal: WHO(learner), mail(email), phone(phone)\n-- generalise: born(year)',
        'select who as learner_id, mail as email_hash, born as "attributes.born"',
      ),
      csv,
      'csv',
    )
    expect(row).toMatchObject({
      learner_id: hash('learner', 'clear-1'),
      email_hash: hash('email', 'clear@example.org'),
    })
    expect(JSON.parse(row?.attributes ?? '')).toEqual({ born: '1999' })
    expect(everything).not.toMatch(/clear|1234567|12-31/i)
  })

  test.each([
    ['year', '1999'],
    ['month', '1999-12'],
    ['2', '19'],
  ])('a value made coarse: %s', async (to, born) => {
    const { row } = await staged(
      table(`-- personal: who(learner), mail(drop), phone(drop)\n-- generalise: born(${to})`),
      csv,
      'csv',
    )
    expect(JSON.parse(row?.attributes ?? '')).toEqual({ born })
  })

  test('a dropped column can still be named, and is empty', async () => {
    const { row } = await staged(
      table(
        '-- personal: who(learner), mail(drop), phone(phone), born(birth_date)',
        'select who as learner_id, phone as region',
      ),
      csv,
      'csv',
    )
    expect(row?.region).toBeNull()
  })

  test('JSON in a column', async () => {
    const { everything, row } = await staged(
      table(
        '-- personal: who(learner), $.box.mail(email), $.box.name(drop)\n-- not-personal: country',
        'select who as learner_id, box as "attributes.box"',
      ),
      'who,country,box\nw,DE,"{""mail"":""clear@example.org"",""name"":""clear"",""x"":1}"\nv,DE,clear no JSON\n',
      'csv',
    )
    expect(everything).not.toContain('clear')
    expect(row?.attributes).toContain('x')
  })

  test('JSON in a column that is too deep to be changed is rejected', async () => {
    const deep = `{""mail"":""clear@example.org"",""x"":${'['.repeat(70)}${']'.repeat(70)}}`
    const { everything, counts } = await staged(
      table(
        '-- personal: who(learner), $.box.mail(email)',
        'select who as learner_id, box as "attributes.box"',
      ),
      `who,box\nw,"{""mail"":""clear@example.org""}"\nv,"${deep}"\n`,
      'csv',
    )
    expect(counts).toMatchObject({ read: 2, mapped: 1, rejected: 1 })
    expect(everything).toContain('json:depth')
    expect(everything).not.toContain('clear')
  })

  test('a personal column that the file has not is refused, by name', async () => {
    await expect(
      staged(table('-- personal: who(learner), email(email), phone(drop)'), csv, 'csv'),
    ).rejects.toMatchObject({
      code: 'LPA-PERSONAL-MISSING',
      exit: 'data',
      message: expect.stringMatching(/^There is no column email, which .* declares\.$/),
    })
  })
})

describe('what looks personal and is not declared', () => {
  const refused = async (content: string, mapping: string, extension: string) => {
    files += 1
    const before = readdirSync(folder.path).filter((name) => name.startsWith('load-'))
    const error = await folder.stage(`${files}.${extension}`, content, mapping).then(
      () => undefined,
      (reason: unknown) => reason as { code: string; message: string; next: string[] },
    )
    expect(error).toMatchObject({ code: 'LPA-PERSONAL-UNDECLARED', exit: 'data' })
    expect(JSON.stringify(error)).not.toMatch(/clear|192\.168|\+49/i)
    // Nothing that was read is left on disk.
    expect(readdirSync(folder.path).filter((name) => name.startsWith('load-'))).toEqual(before)
    return error as { message: string; next: string[] }
  }
  const course = (more: string, column = 'id') =>
    `-- entity: course\n${more}select id as course_id, "${column}" as course_title from source`

  test.each([
    ['by its name', 'id,Email\n1,x\n', 'Email'],
    ['by its name, with a blank', 'id,First Name\n1,x\n', 'First Name'],
    ['a student number', 'id,student_id\n1,2\n', 'student_id'],
    ['by words within its name', 'id,Student Name\n1,x\n', 'Student Name'],
    ['by its name in German', 'id,Matrikelnummer\n1,x\n', 'Matrikelnummer'],
    ['a free text', 'id,comment\n1,x\n', 'comment'],
    ['e-mail addresses', 'id,x\n1,clear@example.org\n', 'x'],
    ['e-mail addresses of any script', 'id,x\n1,clear.andré@example.org\n', 'x'],
    ['e-mail addresses of any domain', 'id,x\n1,clear@uni-köln.example\n', 'x'],
    ['an e-mail address inside a text', 'id,x\n1,by clear@example.org today\n', 'x'],
    ['IP addresses', 'id,x\n1,192.168.0.1\n', 'x'],
    ['IP addresses with a port', 'id,x\n1,192.168.0.1:8080\n', 'x'],
    ['lists of IP addresses', 'id,x\n1,"192.168.0.1, 192.168.0.2"\n', 'x'],
    ['IPv6 addresses', 'id,x\n1,2001:db8::192.168.0.1\n', 'x'],
    ['IPv6 addresses with a port', 'id,x\n1,[2001:db8:0:0:0:0:0:1]:443\n', 'x'],
    ['e-mail addresses of this machine', 'id,x\n1,clear@localhost\n', 'x'],
    ['e-mail addresses in URLs', 'id,x\n1,https://x.example/?u=clear%40example.org\n', 'x'],
    ['phone numbers', 'id,x\n1,+49 170 1234567\n', 'x'],
  ])('%s', async (_, csv, column) => {
    const error = await refused(csv, course('', column), 'csv')
    expect(error.message).toContain(`Column ${column} `)
    expect(error.next).toContainEqual(expect.stringContaining(`-- personal: ${column}(drop)`))
    expect(error.next.at(-1)).toContain(`-- not-personal: ${column}`)
    expect(error.next).toContainEqual(expect.stringContaining(`-- not-personal: ${column}`))
  })

  test('an e-mail address far behind the first rows', async () => {
    await refused(`id,x\n${'1,plain\n'.repeat(60_000)}1,clear@example.org\n`, course('', 'x'), 'csv')
    await refused(`id,x\n${'1,plain\n'.repeat(60_000)}1,clear.andré@köln.example\n`, course('', 'x'), 'csv')
  })

  test('in JSON that is kept', async () => {
    const text = `{"id":"1","box":{"a":[{"b":"clear@example.org"}]}}\n`
    const error = await refused(text, course('-- columns: id\n-- keep: $.box\n'), 'ndjson')
    expect(error.message).toContain('Column $.box.a holds e-mail addresses')
  })

  describe('inside JSON', () => {
    const box = (more = '') =>
      `-- entity: course\n-- columns: id, box json\n${more}select id as course_id, box as attributes from source`
    const lineOf = (value: unknown) => `${JSON.stringify({ id: '1', box: value })}\n`

    test.each([
      ['a key', { a: 1, user_name: 'clear' }, '$.box.user_name is named like a personal value'],
      ['a key deep down', { a: { b: { studentId: 17 } } }, '$.box.a.b.studentId is named like'],
      [
        'a key in a list',
        { a: [{ b: 1 }, { learner_name: 'clear' }] },
        '$.box.a holds keys that are named like',
      ],
      ['an IP address', { a: { b: '192.168.0.1' } }, '$.box.a.b holds IP addresses'],
      ['a phone number', { a: ['+49 170 1234567'] }, '$.box.a holds phone numbers'],
      [
        'a key that is an e-mail address',
        { a: { 'clear@example.org': 1 } },
        '$.box.a holds e-mail addresses',
      ],
      [
        'what lies below a key that is a person',
        { clearly: { email: 'x' } },
        'Column box holds keys that are named like personal values',
      ],
      [
        'what lies below an odd key',
        { 'clear, very': { ip: 1 } },
        'Column box holds keys that are named like personal values',
      ],
    ])('%s', async (_, value, message) => {
      const error = await refused(lineOf(value), box(), 'ndjson')
      expect(error.message).toContain(message)
    })

    test.each([
      ['ndjson', `${lineOf({ a: 1 }).repeat(300)}${lineOf({ a: { user_name: 'clear' } })}`, box()],
      [
        'csv',
        `id,box\n${'1,"{""a"":1}"\n'.repeat(300)}1,"{""a"":{""user_name"":""clear""}}"\n`,
        box().replace('box json', 'box'),
      ],
    ])('a key far behind the first records of %s', async (format, text, mapping) => {
      const error = await refused(text, mapping, format)
      expect(error.message).toContain(
        'Column box holds a key user_name, which is named like a personal value',
      )
    })

    const typed = (text: string) => `{"id":"1","box":${text}}\n`
    const quoted = (text: string) => `1,"${text.replaceAll('"', '""')}"\n`
    const asText = box().replace('box json', 'box')
    test.each([
      ['an escaped e-mail address', String.raw`{"c":"clear\u0040example.org"}`],
      [
        'an escaped e-mail address in letters of another script',
        String.raw`{"c":"\u0438\u0432\u0040example.org"}`,
      ],
      ['an e-mail address escaped twice', String.raw`{"c":"{\"d\":\"clear\\u0040example.org\"}"}`],
      [
        'an e-mail address whose escape is escaped',
        String.raw`{"c":"{\"d\":\"clear\u005cu0040example.org\"}"}`,
      ],
      ['an escaped key', String.raw`{"pr\u00e9nom":"Clear"}`],
      ['a key escaped in capitals', String.raw`{"PR\u00C9NOM":"Clear"}`],
      ['a key of escaped ASCII', String.raw`{"\u006eame":"Clear"}`],
      ['a key in camelCase', '{"lastIp":"Clear"}'],
      ['a key in a text of JSON', String.raw`{"x":"{\"name\":\"Clear\"}"}`],
      ['a key in a text of JSON, on lines of its own', String.raw`{"x":"{\n  \"name\" :\r\n \"Clear\"}"}`],
      [
        'a key in a text of JSON in another',
        String.raw`{"x":"{\"y\":\"{\\\"pr\\\u00e9nom\\\":\\\"Clear\\\"}\"}"}`,
      ],
      ['a key with a blank that breaks no line', '{"student\u00a0name":"Clear"}'],
    ])('%s, in the first record and far behind it', async (_, text) => {
      const plain = typed('{"a":1}').repeat(300)
      await refused(typed(text), box(), 'ndjson')
      await refused(plain + typed(JSON.stringify(text)), box(), 'ndjson')
      await refused(plain + typed(JSON.stringify(text)), asText, 'ndjson')
      const rows = quoted('{"a":1}').repeat(300)
      await refused(`id,box\n${rows}${quoted(text)}`, asText, 'csv')
    })

    test('a backslash alone makes no value personal', async () => {
      const text = String.raw`{"path":"C:\\users\\net","said":"\"so\"","sign":"\u00e9\ud83d\ude00 \u0040"}`
      const { row } = await staged(box(), typed(text))
      expect(JSON.parse(row?.attributes ?? '')).toEqual(JSON.parse(text))
      expect(
        (await staged(asText.replace(' attributes ', ' "attributes.box" '), `id,box\n${quoted(text)}`, 'csv'))
          .counts.mapped,
      ).toBe(1)
    })

    test('what the mapping speaks of is kept, changed or dropped as it says', async () => {
      const { row, everything } = await staged(
        box(
          '-- personal: $.box.mail(email), $.box.a.user_name(drop)\n-- not-personal: $.box.a.name, $.box.people\n',
        ),
        lineOf({ mail: 'clear@example.org', a: { user_name: 'clear', name: 'Quiz' }, people: [{ ip: 1 }] }),
      )
      expect(JSON.parse(row?.attributes ?? '')).toEqual({
        mail: hash('email', 'clear@example.org'),
        a: { name: 'Quiz' },
        people: [{ ip: 1 }],
      })
      expect(everything).not.toContain('clear')
    })

    test('what is not spoken of is looked at beside it, also where no object is', async () => {
      const mapping = box('-- not-personal: $.box.a.name\n')
      await refused(
        `${lineOf({ a: { name: 'x' } }).repeat(300)}${lineOf({ a: 'clear@example.org' })}`,
        mapping,
        'ndjson',
      )
      await refused(lineOf({ a: { name: 'x', nachname: 'clear' } }), mapping, 'ndjson')
    })

    test('a name in several languages is none of a person', async () => {
      const value = { definition: { name: { en: 'Mechanics' } } }
      const { row } = await staged(box(), lineOf(value))
      expect(JSON.parse(row?.attributes ?? '')).toEqual(value)
    })
  })

  test.each([
    ['student_id', '2', '-- personal: student_id(learner)'],
    ['E-Mail', 'x', '-- personal: E-Mail(email)'],
    ['x', 'clear@example.org', '-- personal: x(email)'],
    ['x', '192.168.0.1', '-- personal: x(drop)'],
    ['Telefon (privat)', 'x', '-- personal: "Telefon (privat)"(drop)'],
    ['Geburtsdatum', '2.3.2004', '-- generalise: Geburtsdatum(year)'],
  ])('first comes what its name or its values say: %s', async (name, value, line) => {
    const { next } = await refused(`id,${name}\n1,${value}\n`, course('', name), 'csv')
    expect(next[1]).toContain(`  ${line} `)
    // Copied as it is written, it is taken.
    const copied = `${line}\n-- entity: course\nselect id as course_id${line.includes('drop') ? '' : `, "${name}" as course_title`} from source`
    expect((await staged(copied, `id,${name}\n1,${value}\n`, 'csv')).counts.mapped).toBe(1)
  })

  test('an e-mail address that is taken for an id of a learner', async () => {
    const mapping = `-- personal: mail(email)\n-- entity: learner\nselect Mail as learner_id from source`
    await expect(staged(mapping, 'Mail\nclear@example.org\n', 'csv')).rejects.toMatchObject({
      code: 'LPA-MAPPING-SQL',
      next: [expect.stringContaining('-- personal: mail(learner)')],
    })
    const { row } = await staged(mapping.replace('(email)', '(learner)'), 'Mail\nclear@example.org\n', 'csv')
    expect(row?.learner_id).toBe(hash('learner', 'clear@example.org'))
  })

  test('the copy of a packaged mapping is where to say it', async () => {
    const event = { event_id: 'e', event_type: 'viewed', learner_id: 'l', occurred_at: '2026-01-01' }
    const text = `${JSON.stringify({ ...event, course_id: 'c', attributes: { ip: '192.168.0.1' } })}\n`
    const error = await folder.stage('packaged.ndjson', text).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'LPA-PERSONAL-UNDECLARED',
      next: expect.arrayContaining([expect.stringMatching(/^Copy .*campus_learning_event\.sql, add/)]),
    })
  })

  test('in a path that the SELECT reads', async () => {
    const text = '{"id":"1","person":{"email":"clear"}}\n'
    const error = await refused(
      text,
      `-- entity: course\n-- columns: id\nselect id as course_id, payload->>'$.person.email' as course_title from source`,
      'ndjson',
    )
    expect(error.message).toContain('Column $.person.email is named like a personal value')
  })

  test('unless the mapping says that it is not', async () => {
    const text = `-- entity: course\n-- not-personal: name, x\nselect id as course_id, name as course_title from source`
    const { row } = await staged(text, 'id,name,x\n1,Physics,info@example.org\n', 'csv')
    expect(row?.course_title).toBe('Physics')
  })
})
