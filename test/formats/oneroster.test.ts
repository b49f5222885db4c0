/** OneRoster bundles: whole folders, everything or changes as their manifest tells. */

import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadSummary } from '../../src/pipeline/load.ts'
import { zipOf } from '../../src/sources/zip.test-support.ts'
import { initPlace, lpaOk, removePlaces } from '../faults/lpa.ts'
import { FormatCampus, goldenFacts, MANY_REJECTS } from './format-campus.ts'

const LEARNERS = [940001, 940002, 940003, 940004, 940005, 940006].map((number) => ({ id: `u-${number}` }))
/** Ids of enrollments and results are taken for somebody's. */
const PEOPLE = [...LEARNERS, ...['e-1', 'e-2', 'e-3', 'e-5', 'e-9', 'r-1', 'r-9'].map((id) => ({ id }))]

const campus = FormatCampus.shared('oneroster', PEOPLE)
afterAll(removePlaces)

test('a bundle of everything, and files of it of which nothing is loaded', async () => {
  const loaded = await campus.load('bulk-1.1')
  const told = loaded.map(({ input, outcome, mappings }) =>
    [input.replace(/.*\//, ''), outcome, ...mappings.map(({ mapping, rows }) => `${mapping} ${rows}`)].join(
      ' ',
    ),
  )
  expect(told).toEqual([
    'academicSessions.csv skipped',
    'classes.csv loaded oneroster_class 2',
    'courses.csv loaded oneroster_course 2',
    'demographics.csv skipped',
    'enrollments.csv loaded oneroster_enrollment 3',
    'lineItems.csv skipped',
    'manifest.csv skipped',
    'orgs.csv skipped',
    'results.csv loaded oneroster_result 1',
    'users.csv loaded oneroster_user 3',
  ])
  expect(loadSummary(loaded)).toBe(
    '5 files: 11 records mapped, 0 rejected, 3 filtered; 5 files of which nothing is loaded',
  )
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('oneroster-bulk'))
})

test('then a bundle of changes: the manifest says so, and what is to be deleted is gone', async () => {
  const loaded = await campus.load('delta-1.1')
  expect(loaded.flatMap(({ replaced }) => replaced)).toEqual([])
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('oneroster-delta'))
})

test('the same bundles again make the same facts; the last alone changes nothing', async () => {
  expect((await campus.load('delta-1.1')).map(({ outcome }) => outcome)).not.toContain('loaded')
  for (const bundle of ['bulk-1.1', 'delta-1.1']) await campus.load(bundle)
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('oneroster-delta'))
})

test('zipped bundles are what their folders are, and nothing of them is unpacked to disk', async () => {
  using other = await FormatCampus.create('oneroster', PEOPLE, MANY_REJECTS)
  const zip = (bundle: string) => {
    const names = readdirSync(other.fixture(bundle))
    const files = names.map((name) => ({ name: `export/${name}`, text: other.text(`${bundle}/${name}`) }))
    return other.warehouse.write(`given/${bundle}.zip`, zipOf(files))
  }
  const loaded = await other.warehouse.load(zip('bulk-1.1'))
  expect(loaded.map(({ input }) => input.replace(/.*given/, ''))).toContain('/bulk-1.1.zip/export/users.csv')
  await expect(await other.facts()).toMatchFileSnapshot(goldenFacts('oneroster-bulk'))
  await other.warehouse.load(zip('delta-1.1'))
  await expect(await other.facts()).toMatchFileSnapshot(goldenFacts('oneroster-delta'))
  for (const again of [zip('delta-1.1'), other.fixture('delta-1.1')]) {
    expect((await other.warehouse.load(again)).map(({ outcome }) => outcome)).not.toContain('loaded')
  }
  await other.expectNothingPersonal(['bulk-1.1/users.csv'], ['u-940001', 'Svetlana'])
})

test('archives are read by what is installed too, where packages are bundled', async () => {
  const place = await initPlace('zipped')
  const files = ['users.csv', 'manifest.csv'].map((name) => ({ name, text: campus.text(`bulk-1.1/${name}`) }))
  writeFileSync(join(place.root, 'bundle.zip'), zipOf(files))
  const { stdout } = await lpaOk(place, ['load', 'bundle.zip', '--dry-run', '--json'])
  expect(JSON.parse(stdout)).toMatchObject([
    { input: 'bundle.zip/manifest.csv' },
    { input: 'bundle.zip/users.csv', mapping: 'oneroster_user', mapped: 3 },
  ])
})

test('a bundle of everything of 1.2 takes the place of what the source held', async () => {
  const loaded = await campus.load('bulk-1.2')
  expect(loaded.filter(({ replaced }) => replaced.length > 0)).toHaveLength(2)
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('oneroster-1.2'))
})

test('a manifest that says something else is refused', async () => {
  const [users = '', manifest = ''] = ['users.csv', 'manifest.csv'].map((name) =>
    campus.text(`bulk-1.1/${name}`),
  )
  campus.warehouse.write('given/odd/manifest.csv', manifest.replace('file.users,bulk', 'file.users,some'))
  const file = campus.warehouse.write('given/odd/users.csv', users)
  await expect(campus.warehouse.load(file)).rejects.toMatchObject({
    code: 'LPA-INPUT-EXPORT-KIND',
    exit: 'data',
  })
})

test('a bad row is told by its line and column', async () => {
  await campus.load('bad')
  expect(await campus.rejects()).toEqual([
    'enrollments.csv:2 course_id:missing course_id',
    'enrollments.csv:3 enrolled_at:missing enrolled_at',
    'enrollments.csv:4 enrolled_at:type enrolled_at',
    'users.csv:2 learner_id:missing learner_id',
  ])
})

test('nobody of the fixtures is anywhere in the warehouse', async () => {
  using other = await FormatCampus.create('oneroster', PEOPLE, MANY_REJECTS)
  const bundles = ['bulk-1.1', 'delta-1.1', 'bulk-1.2', 'bad']
  for (const bundle of bundles) {
    await other.load(bundle)
    await other.facts()
  }
  const names = [
    'Svetlana',
    'Petrova-Test',
    'Mensah-Test',
    'Kahale-Test',
    'Lind-Test',
    'Taufa-Test',
    'Lima-Test',
  ]
  const more = [
    'Berg-Test',
    'svetlana@sis.example',
    'ana@sis.example',
    '+49 30 90182099',
    '2010-05-06',
    'Potsdam',
  ]
  const files = bundles.flatMap((bundle) =>
    ['users.csv', 'enrollments.csv'].map((name) => `${bundle}/${name}`),
  )
  await other.expectNothingPersonal(
    [...files, 'bulk-1.1/results.csv', 'bulk-1.1/demographics.csv'],
    [...LEARNERS.map(({ id }) => id), 'u-940900', ...names, ...more],
  )
})
