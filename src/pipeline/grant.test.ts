/** The policy of a warehouse on the embedded engine: planned, applied, checked, and what was done behind its back. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { readyMadePolicy } from '../policy/access.test-support.ts'
import { auditPolicy } from '../policy/audit.ts'
import type { Policy } from '../policy/policy.ts'
import type { Engine } from '../types.ts'
import { readDeclared } from './declared.ts'
import { applyGrants, grantPlanText, grantSummary, planGrants, readGrantPlan } from './grant.ts'
import { checkGrants, checkText, isFine } from './grant-check.ts'
import { showRole, showRoles } from './grant-show.ts'
import { ledgerRows } from './ledger.ts'
import { withWarehouse } from './warehouse.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let policy: Policy
let warehouse: TryWarehouse
beforeAll(async () => {
  policy = await readyMadePolicy()
  warehouse = await TryWarehouse.create()
})
afterAll(() => warehouse[Symbol.dispose]())

const within = <T>(work: (engine: Engine) => Promise<T>) =>
  withWarehouse(warehouse.config, 'write', new AbortController().signal, work)

const kept = () => within((engine) => ledgerRows(engine, 'policy-objects'))

const steps = async (wanted = policy) =>
  (await within((engine) => planGrants(engine, wanted))).steps.map(
    ({ action, kind, name }) => `${action} ${kind} ${name}`,
  )

const withoutRole = (name: string): Policy => ({
  ...policy,
  roles: policy.roles.filter((role) => role.name !== name),
})

test('a policy is applied as a whole or not at all', async () => {
  const failing = (engine: Engine) => {
    let left = 100
    const execute: Engine['execute'] = (statement, values) => {
      if (left-- === 0) throw new Error('killed')
      return engine.execute(statement, values)
    }
    return applyGrants({ ...engine, execute }, policy)
  }
  await expect(within(failing)).rejects.toThrow('killed')
  expect(await kept()).toEqual([])

  const applied = await within((engine) => applyGrants(engine, policy))
  expect(grantSummary(applied, true)).toBe(`${applied.steps.length} added`)
  expect(await kept()).toHaveLength(applied.steps.length)
  expect(await steps()).toEqual([])
  const again = await within((engine) => applyGrants(engine, policy))
  expect([again.steps, again.baseVersion]).toEqual([[], String(Number(applied.baseVersion) + 1)])
  expect(grantPlanText(again)).toBe('Nothing to do: the warehouse has the policy.')
})

test('what was changed behind its back is found, and mended', async () => {
  await within((engine) =>
    engine.transaction(async () => {
      await engine.execute(`delete from meta.policy_objects where kind = 'mask' and name = 'names'`)
      await engine.execute(
        `update meta.policy_objects set definition = replace(definition, 'lpa_instructor', 'lpa_admin') where name = 'own_courses'`,
      )
      await engine.execute(
        `insert into meta.policy_objects select kind, 'mine', definition, applied_at from meta.policy_objects where name = 'lpa_admin'`,
      )
    }),
  )
  const found = ['remove role mine', 'add mask names', 'change row rule own_courses']
  expect(await steps()).toEqual(found)
  const check = await within((engine) => checkGrants(engine, policy, false))
  expect([check.upToDate, checkText(check).split('\n')]).toEqual([
    false,
    ['not declared: role mine', 'missing: mask names', 'different: row rule own_courses'],
  ])
  await within((engine) => applyGrants(engine, policy))
  expect(await steps()).toEqual([])
})

test('a saved plan is applied as it is, or refused', async () => {
  const smaller = withoutRole('lpa_admin')
  const file = join(warehouse.folder, 'grants.json')
  const { known: _, ...plan } = await within((engine) => planGrants(engine, smaller))
  writeFileSync(file, JSON.stringify(plan))
  const saved = readGrantPlan(file)
  expect(saved).toEqual(plan)

  const stale = { code: 'LPA-GRANT-STALE', exitCode: 1 }
  // Another policy, other statements, and another state by then.
  await expect(within((engine) => applyGrants(engine, policy, { saved }))).rejects.toMatchObject(stale)
  const [first] = saved.steps
  const edited = { ...saved, steps: [{ ...first, sql: ['delete from meta.policy_objects'] }] } as typeof saved
  await expect(within((engine) => applyGrants(engine, smaller, { saved: edited }))).rejects.toMatchObject(
    stale,
  )
  expect(await steps(smaller)).toEqual(['remove role lpa_admin'])
  await within((engine) => applyGrants(engine, smaller, { saved }))
  expect(await steps(smaller)).toEqual([])
  await expect(within((engine) => applyGrants(engine, smaller, { saved }))).rejects.toMatchObject(stale)
  await within((engine) => applyGrants(engine, policy))

  writeFileSync(file, '{"steps": []}')
  expect(() => readGrantPlan(file)).toThrow(expect.objectContaining({ code: 'LPA-GRANT-PLAN', exitCode: 65 }))
  expect(() => readGrantPlan(join(warehouse.folder, 'none.json'))).toThrow(
    expect.objectContaining({ code: 'LPA-GRANT-PLAN', exitCode: 66 }),
  )
})

test('the audit tells what the policy leaves open', async () => {
  const audited = async (open: Policy) => {
    const check = await within((engine) => checkGrants(engine, open, true))
    const found = check.audit?.map(({ severity, kind, target }) => `${severity}: ${kind}: ${target}`)
    return { found, isFine: isFine({ ...check, upToDate: true }) }
  }
  const usual = [
    'warning: wide grant: lpa_engineer: reads every schema',
    'warning: wide grant: lpa_engineer: writes core, meta, raw, staging, also tables to come',
  ]
  // What lpa comes with has no mistake.
  expect(await audited(policy)).toEqual({ found: usual, isFine: true })
  const open: Policy = {
    ...policy,
    masks: policy.masks.filter(({ name }) => name !== 'names'),
    taggings: policy.taggings.filter(({ table }) => table !== 'core.dim_date'),
    users: policy.users.filter(({ roles }) => !roles.includes('lpa_admin')),
    rowRules: policy.rowRules.map((rule) => ({
      ...rule,
      on: rule.on.filter(
        ({ table }) => rule.name !== 'own_region' || table !== 'core.fact_course_completion',
      ),
    })),
  }
  const { found, ...rest } = await audited(open)
  expect(rest.isFine).toBe(false)
  expect(found).toEqual([
    'error: personal column without a mask: core.dim_instructor.display_name',
    'error: personal column without a mask: staging.stg_instructor.display_name',
    'error: table that a row rule leaves out: own_region: core.fact_course_completion.learner_key',
    'error: table without tags: core.dim_date',
    'warning: role without users: lpa_admin',
    ...usual,
  ])
})

test('the audit tells of what somebody may read and nobody declared', () => {
  const declared = readDeclared('snowflake').tables
  const relations = [
    ...declared.map(({ name, kind, columns }) => {
      const more = name === 'core.dim_course' ? [{ name: 'notes' }] : []
      return { name, columns: kind === 'view' ? [{ name: 'of_its_select' }] : [...columns, ...more] }
    }),
    { name: 'core.people_notes', columns: [{ name: 'name' }] },
    { name: 'elsewhere.people_notes', columns: [{ name: 'name' }] },
  ]
  const found = auditPolicy(policy, declared, { relations }).filter(({ kind }) => /^undeclared/.test(kind))
  const next = expect.stringMatching(/^lpa_admin, lpa_analyst, lpa_engineer, lpa_instructor may read it/)
  expect(found).toEqual([
    { severity: 'error', kind: 'undeclared column', target: 'core.dim_course.notes', next },
    { severity: 'error', kind: 'undeclared table', target: 'core.people_notes', next },
  ])
  expect(auditPolicy(policy, declared).some(({ kind }) => /^undeclared/.test(kind))).toBe(false)
})

test('a role is shown by table and column', () => {
  const shown = showRole(policy, 'lpa_analyst', 'rui').rows
  const of = (table: string, column: string | null) =>
    shown.find((row) => row[0] === table && row[1] === column)
  const norte = 'own_region: learner_key by region Norte'
  expect(of('core.dim_learner', 'country')).toEqual(['core.dim_learner', 'country', 'clear', null, norte])
  expect(of('core.dim_learner', 'email_hash')?.slice(2)).toEqual([
    'masked',
    'its first 8 characters (email_hashes)',
    norte,
  ])
  expect(of('core.learner', null)?.slice(2)).toEqual(['as its tables', null, null])
  expect(of('meta.runs', null)?.slice(2)).toEqual(['not granted', null, null])
  expect(showRole(policy, 'lpa_dashboard', 'screens').rows).toContainEqual([
    ...['core.dim_learner', null, 'reports only', 'counts of 10 learners or more', null],
  ])
  expect(() => showRole(policy, 'lpa_analist', 'rui')).toThrow('There is no role lpa_analist.')
  expect(showRoles(policy).rows.map((row) => [row[0], row[3]])).toContainEqual([
    'lpa_analyst',
    'ana, newcomer, rui',
  ])
  expect(showRoles(policy).rows.map((row) => [row[0], row[3], row[4]])).toContainEqual([
    ...['lpa_dashboard', '', 'screens'],
  ])
})
