import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { RBAC_FILE, rbacScript } from './rbac.ts'

test('security/rbac_masking.sql is as the policy has it', async () => {
  const text = await rbacScript()
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(RBAC_FILE, text)
  const isFresh = readFileSync(RBAC_FILE, 'utf8') === text
  expect(isFresh, 'security/rbac_masking.sql is stale. Run: npm run golden, or node scripts/rbac.ts').toBe(
    true,
  )
})
