import { expect, it } from 'vitest'
import {
  maskEmails,
  rememberSecret,
  rememberSecretVariables,
  rememberTypedSecrets,
  scrub,
} from './secrets.ts'

it('hides a secret however it is written', () => {
  const secret = 'c4nary "key" 9f8e7d'
  rememberSecret(`${secret}\n`)
  const forms = [
    secret,
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('hex'),
    encodeURIComponent(secret),
    JSON.stringify(secret),
  ]
  for (const form of forms) {
    const text = scrub(`before ${form} after`)
    expect(text).toContain('[secret]')
    expect(text).not.toContain(form)
    expect(text).toMatch(/^before .* after$/)
  }
})

it('knows variables by their names', () => {
  rememberSecretVariables({
    SNOWFLAKE_PASSWORD: 'hunter22',
    LPA_LMS_TOKEN: 'tok-123456',
    SNOWFLAKE_CONNECTIONS_LPA_PRIVATE_KEY_FILE_PWD: 'of-the-key',
    LPA_SPARK_TOKEN_FILE: '/etc/lpa/token',
    HOME: '/home/someone',
  })
  const said = scrub('hunter22 tok-123456 of-the-key /etc/lpa/token /home/someone')
  expect(said).toBe('[secret] [secret] [secret] /etc/lpa/token /home/someone')
})

it('does not take a short value for a secret', () => {
  rememberSecret('abc')
  expect(scrub('abcabc')).toBe('abcabc')
})

it.each([
  ['jane.doe@example.org.csv', '***@***.csv'],
  ['exports/of jane@mail.example.org.csv.gz', 'exports/of ***@***.csv.gz'],
  ['"a/jane@example.org.ndjson" --mapping grades_jane@example.org', '"a/***@***.ndjson" --mapping ***@***'],
  ['/home/jane@corp.example/exports/a.csv', '/home/jane@corp.example/exports/a.csv'],
  ['exports/zoë@uni-köln.example.csv', 'exports/***@***.csv'],
  ['a@b.csv', '***@***.csv'],
  ['--at 2026@1', '--at 2026@1'],
])('masks e-mail addresses in the names of files: %s', (text, masked) => {
  expect(maskEmails(text)).toBe(masked)
})

it('passwords of addresses that were typed, whatever is in them', () => {
  rememberTypedSecrets(['stream', 'kafka://bob:hunter2/secret@broker:9092/t', 'https://host:8080/path'])
  expect(scrub('kafka://bob:hunter2/secret@broker:9092/t')).toBe('kafka://bob:[secret]@broker:9092/t')
  expect(scrub('https://host:8080/path')).toBe('https://host:8080/path')
  rememberTypedSecrets(['sc://host:15002/;use_ssl=true;token=of-the-cluster;user_id=somebody'])
  expect(scrub('true of-the-cluster somebody')).toBe('true [secret] somebody')
})

it('what else of an address is a secret: a token in the place of a user, a parameter that is called so', () => {
  rememberTypedSecrets(['https://t0ken-in-front@host/path?limit=500&api_key=k3y-behind&x=%2Fp4th'])
  expect(scrub('https://t0ken-in-front@host/path?limit=500&api_key=k3y-behind&x=%2Fp4th')).toBe(
    'https://[secret]@host/path?limit=500&api_key=[secret]&x=%2Fp4th',
  )
})
