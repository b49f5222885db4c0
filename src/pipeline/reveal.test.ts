/** Who pseudonyms are, by a roster: what an answer then has, and what is said of one that names nobody. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { collect } from '../output/cells.ts'
import { pseudonym, readKey } from '../pseudonym.ts'
import { readSql } from '../sql-files.ts'
import type { Result } from '../types.ts'
import { noneNamed, type Roster, readRoster, revealed } from './reveal.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-reveal-'))
  writeFileSync(join(folder, 'pseudonym.key'), `${'0f'.repeat(32)}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'roster.csv'), 'name,learner_id,no\nAda,17,900\nBea,18,901\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function roster(column: string): Roster {
  const config = loadConfig({ cwd: folder, env: {} })
  const question = { report: readSql('reports', 'at-risk'), sql: '', values: {} }
  const from = `${join(folder, 'roster.csv')}:${column}`
  return readRoster(config, question, { from, idSpace: 'campus', format: 'csv' })
}

function answer(): Result {
  const ada = pseudonym(readKey(join(folder, 'pseudonym.key')), 'learner', 'campus', '17') ?? ''
  return {
    columns: ['course_id', 'learner_id'].map((name) => ({ name, type: 'text' })),
    rows: [
      ['BIO101', ada],
      ['BIO101', 'somebody else'],
    ],
  }
}

test('an id stands before its pseudonym, under a name of its own', async () => {
  const by = roster('learner_id')
  const { columns, rows } = await collect(revealed(answer(), by))
  expect(columns.map(({ name }) => name)).toEqual(['course_id', 'roster_learner_id', 'learner_id'])
  expect(rows.map(([course, id, learner]) => [course, id, learner === id])).toEqual([
    ['BIO101', '17', false],
    ['BIO101', null, false],
  ])
  expect(by.column).toBe('roster_learner_id')
  expect(noneNamed(by)).toEqual([])
})

test('a roster that names nobody says so, not one that was asked for nobody', async () => {
  const by = roster('no')
  expect(noneNamed(by)).toEqual([])
  expect((await collect(revealed(answer(), by))).columns.map(({ name }) => name)).toContain('no')
  expect(noneNamed(by)).toEqual([expect.stringContaining('The roster has none of these learners.')])
})
