import { describe, expect, test } from 'vitest'
import { isLoopback, parseAddress, refuseClear, urlOf } from './address.ts'

describe('an address of Spark Connect', () => {
  test.each([
    ['sc://spark.example.org', 'http://spark.example.org:15002'],
    ['sc://spark.example.org:443/;use_ssl=true', 'https://spark.example.org:443'],
    ['sc://10.1.2.3:15003/', 'http://10.1.2.3:15003'],
    ['sc://[::1]:15003/;use_ssl=false;user_id=etl', 'http://[::1]:15003'],
  ])('%s', (text, url) => {
    expect(urlOf(parseAddress(text))).toBe(url)
  })

  test('says whose session it is', () => {
    expect(parseAddress('sc://h/;user_id=etl').user).toBe('etl')
    expect(parseAddress('sc://h').user).toBe('lpa')
  })

  test.each([
    ['spark://h:7077', 'no address'],
    ['sc://', 'no address'],
    ['sc://h:0', 'no address'],
    ['sc://h:70000', 'no address'],
    ['sc://h/path', 'no address'],
    ['sc://user@h', 'no address'],
    ['sc://h/;use_tls=true', 'no parameter use_tls'],
    ['sc://h/;use_ssl=yes', 'true or false'],
    ['sc://h/;token=abcdef', 'token stands in the address'],
  ])('not %s', (text, message) => {
    expect(() => parseAddress(text)).toThrow(message)
  })

  test('does not say a token again', () => {
    expect(() => parseAddress('sc://h/;token=abcdef')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('abcdef') }),
    )
  })
})

describe('a token', () => {
  test.each(['sc://h/;use_ssl=true', 'sc://localhost', 'sc://127.0.0.1', 'sc://127.8.9.10:1', 'sc://[::1]'])(
    'may go to %s',
    (text) => {
      expect(() => refuseClear(parseAddress(text), 'The token')).not.toThrow()
    },
  )

  test.each(['sc://h', 'sc://10.0.0.1', 'sc://localhost.example.org', 'sc://127.0.0.1.example.org'])(
    'does not go to %s',
    (text) => {
      expect(() => refuseClear(parseAddress(text), 'The token')).toThrow('in the clear')
      expect(isLoopback(parseAddress(text))).toBe(false)
    },
  )
})
