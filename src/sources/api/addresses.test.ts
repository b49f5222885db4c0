import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type AddressKind, addressKind, assertHost, checkedLookup } from './addresses.ts'

const rules = { allowPrivate: false, where: 'https://api.example' }

describe('the kind of an address', () => {
  const kinds: Record<AddressKind, string[]> = {
    public: ['8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.0.1', '2606:4700::1111', '::ffff:8.8.8.8'],
    loopback: ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
    private: [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '100.64.0.1',
      'fd00::1',
      '::ffff:a00:1',
    ],
    never: [
      ...['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', 'fe80::1%eth0', '0.0.0.0', '::'],
      ...['255.255.255.255', '224.0.0.1', 'ff02::1', '198.18.0.1', '203.0.113.9', '2001:db8::1'],
      // IPv4 inside IPv6, by several roads.
      ...['64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:1::1', '::127.0.0.1'],
      ...['localhost', '127.0.0.1:80', ''],
    ],
  }
  test.each(Object.entries(kinds).flatMap(([kind, all]) => all.map((address) => [address, kind])))(
    '%j is %s',
    (address, kind) => {
      expect(addressKind(address as string)).toBe(kind)
    },
  )
})

test.each([
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  // As a URL is read, these are 127.0.0.1 and 10.0.0.1.
  'https://2130706433/',
  'https://0x7f.1/',
  'https://012.0.0.1/',
  'https://169.254.169.254/latest',
])('refuses %s', (address) => {
  expect(() => assertHost(new URL(address), rules)).toThrow(
    expect.objectContaining({ code: 'LPA-API-ADDRESS', exitCode: 77 }),
  )
})

test('allow_private opens this machine and the house, never what is link-local', () => {
  const allowed = { ...rules, allowPrivate: true }
  assertHost(new URL('https://10.0.0.1/'), allowed)
  assertHost(new URL('http://127.0.0.1/'), allowed)
  for (const address of ['https://169.254.169.254/', 'https://[fe80::1]/', 'http://10.0.0.1/'])
    expect(() => assertHost(new URL(address), allowed)).toThrow(/has the address/)
})

test('a name is looked at by what the connection takes from it', async () => {
  let isReached = false
  const server = createServer((_, response) => {
    isReached = true
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { request } = await import('node:http')
  const { port } = server.address() as AddressInfo
  const answer = new Promise((resolve, reject) => {
    // Whatever the name of a public server resolves to at this moment: here localhost stands for it.
    const options = { port, host: 'localhost', lookup: checkedLookup('https:', rules) }
    request(options, resolve).on('error', reject).end()
  })
  await expect(answer).rejects.toMatchObject({ code: 'LPA-API-ADDRESS' })
  expect(isReached).toBe(false)
  server.close()
})
