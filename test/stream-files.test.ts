/** Whose fault it is when a file of a directory cannot be loaded: its own, or that of the warehouse, which ends the run. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ExitName, UserError } from '../src/errors.ts'
import { streamDirectory } from '../src/pipeline/stream-directory.ts'
import { streamTarget } from '../src/pipeline/stream-target.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { packageRoot } from '../src/sql-files.ts'
import { workOf } from './stream-work-of.ts'
import { TryWarehouse } from './try-warehouse.ts'

test.each([
  ['LPA-SNOWFLAKE-WAREHOUSE', 'config', 'LPA-SNOWFLAKE-WAREHOUSE'],
  ['LPA-WAREHOUSE-UNFINISHED', 'config', 'LPA-WAREHOUSE-UNFINISHED'],
  ['LPA-SCHEMA-OLD', 'config', 'LPA-SCHEMA-OLD'],
  ['LPA-MAPPING-SQL', 'config', 'LPA-STREAM-FILES'],
] as const)('%s while a file is loaded ends the run with %s: %s', async (code, exit: ExitName, ended) => {
  using its = await TryWarehouse.create()
  its.write('exports/courses.csv', 'course_id,course_title\nC1,Intro to SQL\n')
  const directory = join(its.folder, 'exports')
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    const append: typeof engine.append = async () => {
      throw new UserError(code, 'It fails.', { exit })
    }
    const work = workOf(its, { ...engine, append }, { untilCaughtUp: true, commitEveryMs: 1 })
    const mappings = [join(packageRoot(), 'sql/mappings/campus_course.sql')]
    const target = streamTarget(its.config, { target: `dir:${directory}`, mappings: [] })
    if (!('directory' in target)) throw new Error('It is no directory.')
    const request = { config: its.config, target, mappings, entity: undefined, source: undefined }
    await expect(streamDirectory(request, work)).rejects.toMatchObject({ code: ended })
  })
})
