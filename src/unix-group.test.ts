import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { groupId } from './unix-group.ts'

test('a group is known by its name or its number; others are not', () => {
  const own = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()
  expect(groupId(own)).toBe(process.getgid?.())
  expect(groupId('1234567')).toBe(1234567)
  for (const name of ['nosuchgroup', '', '-s', 'a:b', `${own}:x`, '99999999999'])
    expect(groupId(name), name).toBe(undefined)
})

test('a group that is not there is an error of the configuration', () => {
  const group = (name: string) => loadConfig({ cwd: '/', env: { LPA_WAREHOUSE_GROUP: name } }).warehouse.group
  expect(group('0')).toBe('0')
  expect(() => group('nosuchgroup')).toThrow(
    expect.objectContaining({ code: 'LPA-CONFIG-VALUE', exit: 'config', where: 'LPA_WAREHOUSE_GROUP' }),
  )
})
