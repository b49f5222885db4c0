/** The live dashboard as a role, in a real terminal. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it, type TestContext } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { applyPolicy, readyMadePolicy } from '../src/policy/access.test-support.ts'
import { noTmux, Tmux } from './tmux.ts'
import { TryWarehouse } from './try-warehouse.ts'

const RUN = join(ROOT, 'bin', 'run.js')

let place: TryWarehouse

beforeAll(async () => {
  place = await TryWarehouse.create('[security]\nuser = "screens"\n')
  const exports = join(place.folder, 'exports')
  await generateCampus(exports, { learners: 200, events: 3000, seed: 3, badRows: 0 })
  const files = ['learners.csv', 'courses.json', 'enrollments.csv', 'completions.csv', 'events.ndjson']
  await place.load(files.map((file) => join(exports, file)))
  await place.build()
  await applyPolicy(place, await readyMadePolicy())
})
afterAll(() => place[Symbol.dispose]())

beforeEach((context: TestContext) => {
  const reason = noTmux()
  if (reason !== undefined) context.skip(reason)
})

it('shows what the role may see, follows its policy, and keeps nothing of it', async () => {
  const cache = process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache')
  const env = {
    HOME: place.folder,
    XDG_CACHE_HOME: cache,
    LPA_DASH_REFRESH: '250ms',
    LPA_ROLE: 'lpa_dashboard',
  }
  using tmux = new Tmux({ folder: place.folder, columns: 120, rows: 40, env })
  tmux.enter(`'${process.execPath}' '${RUN}' dash; echo "ended with $?"`)
  await tmux.shows(/● live v\d+/)
  await tmux.shows('Too few learners: ')
  tmux.press('5')
  await tmux.shows('Not permitted')
  expect(tmux.screen).not.toMatch(/[0-9a-f]{12}/)
  expect(existsSync(join(place.config.warehouse.path, 'results'))).toBe(false)
  // Without any grant, what was shown goes too.
  const policy = await readyMadePolicy()
  const roles = policy.roles.map((role) => ({ ...role, grants: [] }))
  tmux.press('4')
  await tmux.shows('Enrolled')
  await applyPolicy(place, { ...policy, roles })
  await tmux.shows(/course-table reads \w+, which the/)
  tmux.press('q')
  await tmux.shows('ended with 0')
  expect(existsSync(join(place.config.warehouse.path, 'results'))).toBe(false)
  expect(
    await place.rows(`select command, role, exit_code, summary from meta.runs where command = 'dash'`),
  ).toEqual([['dash', 'lpa_dashboard', 0, 'asked by screens as lpa_dashboard']])
})
