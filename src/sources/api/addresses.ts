/**
 * Which network addresses an API may have. What a name resolves to is looked at where the connection takes it from, so
 * that no second answer of the name's server can come in between.
 */

import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { UserError } from '../../errors.ts'

/** Of one's own house: IANA's special-purpose registries, what is not global but may be meant. */
const PRIVATE = blockList([
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
])

const LOOPBACK = blockList([
  ['127.0.0.0', 8],
  ['::1', 128],
])

/** No API is there: link-local (a cloud's own settings), multicast, tests, documentation, what is not assigned. */
const NEVER = blockList([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // These carry an IPv4 address that would have to be looked at, or are for documentation.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
])

/** All global IPv6 addresses, so far. */
const GLOBAL_6 = blockList([['2000::', 3]])

export type AddressKind = 'public' | 'private' | 'loopback' | 'never'

/** What kind of address it is, in any spelling of it: `::ffff:127.0.0.1` is loopback. */
export function addressKind(address: string): AddressKind {
  const plain = address.replace(/%.*$/, '')
  const version = isIP(plain)
  if (version === 0) return 'never'
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const isMapped = family === 'ipv6' && MAPPED.check(plain, 'ipv6')
  if (LOOPBACK.check(plain, family)) return 'loopback'
  if (PRIVATE.check(plain, family)) return 'private'
  if (NEVER.check(plain, family)) return 'never'
  return family === 'ipv4' || isMapped || GLOBAL_6.check(plain, 'ipv6') ? 'public' : 'never'
}

/** Their IPv4 address is what is looked at: BlockList knows them. */
const MAPPED = blockList([['::ffff:0:0', 96]])

function blockList(subnets: readonly (readonly [address: string, bits: number])[]): BlockList {
  const list = new BlockList()
  for (const [address, bits] of subnets) list.addSubnet(address, bits, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  return list
}

export interface AddressRules {
  readonly allowPrivate: boolean
  /** Names the source in errors. */
  readonly where: string
}

/** @throws UserError notPermitted (77) when a host that is written as an address may not be reached */
export function assertHost(url: URL, rules: AddressRules): void {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) assertAddress(host, url.protocol, rules)
}

/** Resolves a name for a connection; one of whose addresses may not be reached is refused whole. */
export function checkedLookup(protocol: string, rules: AddressRules): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0)
      try {
        for (const { address } of addresses) assertAddress(address, protocol, rules)
      } catch (refusal) {
        return callback(refusal as Error, '', 0)
      }
      const [first] = addresses
      if (options.all) callback(null, addresses)
      else callback(null, first?.address ?? '', first?.family ?? 0)
    })
  }
}

function assertAddress(address: string, protocol: string, { allowPrivate, where }: AddressRules): void {
  const kind = addressKind(address)
  // Not encrypted: only inside this machine.
  const isFit = protocol === 'https:' || kind === 'loopback'
  if (isFit && (kind === 'public' || (allowPrivate && (kind === 'private' || kind === 'loopback')))) return
  throw new UserError(
    'LPA-API-ADDRESS',
    `Its host has the address ${address}, which is ${said(kind, isFit)}.`,
    {
      exit: 'notPermitted',
      where,
      next:
        isFit && kind !== 'never'
          ? 'If it is a server of your own house, say so in lpa.toml: allow_private = true'
          : 'Check the host in its uri.',
    },
  )
}

function said(kind: AddressKind, isFit: boolean): string {
  if (kind === 'never') return 'of no server: link-local, multicast or reserved'
  if (!isFit) return 'reached without encryption'
  return kind === 'loopback' ? 'this machine' : 'private'
}
