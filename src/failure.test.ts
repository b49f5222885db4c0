import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { UserError } from './errors.ts'
import { asUserError, failureJson, failureOutput } from './failure.ts'

const COMMANDS = ['load', 'batch', 'query', 'schema apply', 'schema plan', 'rejects list']

/** As oclif throws it when there is no such command. */
const notFound = (id: string) => Object.assign(new Error(`command ${id} not found`), { oclif: { exit: 2 } })

it('shows no e-mail address of a file name, in its place or in words', async () => {
  const error = new UserError('LPA-X', 'in/ana@x.example.csv: there is no such file.', {
    exit: 'noInput',
    where: 'in/ana@x.example.csv:3',
  })
  expect(JSON.stringify(failureJson(error))).not.toContain('ana')
  expect(failureOutput(error, { json: false, color: false, verbose: false })).not.toContain('ana')
})

describe('asUserError', () => {
  it('leaves what is written for the user as it is', () => {
    const error = new UserError('LPA-X', 'm', { exit: 'data' })
    expect(asUserError(error)).toBe(error)
  })

  it.each([
    ['lod', 'lod is not a command of lpa.', 'Did you mean lpa load?'],
    ['schema:aply', 'schema aply is not a command of lpa.', 'Did you mean lpa schema apply?'],
    ['qurey:enrollments', 'qurey enrollments is not a command of lpa.', 'Did you mean lpa query?'],
    ['frobnicate', 'frobnicate is not a command of lpa.', undefined],
  ])('suggests a command for %s', (id, message, hint) => {
    const error = asUserError(notFound(id), { commands: COMMANDS })
    expect(error).toMatchObject({ code: 'LPA-USAGE-COMMAND', exitCode: 2, message })
    expect(error.next).toEqual([...(hint ? [hint] : []), 'See lpa --help.'])
  })

  it.each([
    ['IO Error: Could not write file "x": No space left on device', 'LPA-DISK-FULL', 73],
    ['TransactionContext Error: Failed to commit: database or disk is full', 'LPA-DISK-FULL', 73],
    ['Failed to flush changes: attempt to write a readonly database', 'LPA-SYSTEM-EROFS', 73],
    ['Failed to commit: Failed to execute query "COMMIT": disk I/O error', 'LPA-SYSTEM-EIO', 74],
    ['IO Error: Cannot open file "data/x.parquet": Too many open files', 'LPA-SYSTEM-EMFILE', 74],
    [
      'Invalid Error: Failed to probe DuckLake metadata: unable to open database file',
      'LPA-SYSTEM-CANTOPEN',
      74,
    ],
    ['IO Error: Cannot open file "data/x.parquet": No such file or directory', 'LPA-WAREHOUSE-DAMAGED', 74],
    ['Invalid Input Error: Failed to attach: file is not a database', 'LPA-WAREHOUSE-DAMAGED', 74],
    ['Catalog Error: SET schema: No catalog + schema named "lake.core" found', 'LPA-WAREHOUSE-DAMAGED', 74],
    [
      'Invalid Input Error: Existing DuckLake at metadata catalog "x" does not exist - and creating …',
      'LPA-WAREHOUSE-DAMAGED',
      74,
    ],
    ['Out of Memory Error: failed to allocate', 'LPA-MEMORY', 65],
    ['Something else', 'LPA-INTERNAL', 70],
  ])('tells what the engine said of the machine: %s', (message, code, exitCode) => {
    expect(asUserError(new Error(message))).toMatchObject({ code, exitCode })
  })

  it('says what the system said', async () => {
    const missing = await readFile('no/such/file').catch(asUserError)
    expect(missing).toMatchObject({
      code: 'LPA-SYSTEM-ENOENT',
      exitCode: 66,
      message: 'no/such/file is not there (open).',
    })
    const folder = await readFile('.').catch(asUserError)
    expect(folder).toMatchObject({ code: 'LPA-SYSTEM-EISDIR', exitCode: 66 })
    const system = (code: string) =>
      asUserError(Object.assign(new Error('x'), { code, syscall: 'write', path: 'a' }))
    expect(
      ['ENOSPC', 'EROFS', 'EACCES', 'EIO', 'EMFILE', 'ECONNREFUSED'].map((code) => system(code).exitCode),
    ).toEqual([73, 73, 77, 74, 74, 69])
    expect(system('ELOOP')).toMatchObject({ exitCode: 66, message: expect.stringContaining('leads back') })
    expect(system('ENAMETOOLONG').exitCode).toBe(66)
    const made = Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'mkdir', path: 'a/b' })
    expect(asUserError(made)).toMatchObject({ exitCode: 73, message: 'a/b cannot be made (mkdir).' })
  })

  it('takes everything else for a fault of its own', () => {
    expect(asUserError('text')).toMatchObject({
      code: 'LPA-INTERNAL',
      exitCode: 70,
      message: 'Internal error: text',
    })
    expect(asUserError(undefined).exitCode).toBe(70)
  })
})

describe('failureOutput', () => {
  it('lets no name look like a line of its own', () => {
    const forged = 'x\nError: forged\nlpa load: 7 files'
    const error = new UserError('LPA-X', `${forged} is odd.`, { exit: 'data', where: forged, next: forged })
    const text = failureOutput(error, { json: false, color: false, verbose: true })
    const [first = '', ...others] = text.trimEnd().split('\n')
    expect(first).toBe('Error: x\\nError: forged\\nlpa load: 7 files: x')
    expect(others.filter((line) => !line.startsWith('  '))).toEqual([])
  })

  const error = new UserError('LPA-X', 'score is \x1b[2J140.', {
    exit: 'data',
    where: 'a.csv:3',
    next: 'Mend it.',
  })
  const plain = { json: false, color: false, verbose: false }

  it('is disarmed text', () => {
    expect(failureOutput(error, plain)).toBe(
      'Error: a.csv:3: score is \\e[2J140.\n  Mend it.\n  LPA-X, exit 65\n',
    )
    expect(failureOutput(error, { ...plain, color: true })).toContain('\x1b[31mError:\x1b[39m a.csv:3')
  })

  it('wraps between words', () => {
    const long = new UserError('LPA-X', 'there is no such report, sadly', {
      exit: 'usage',
      next: 'There are: funnel, daily',
    })
    expect(failureOutput(long, { ...plain, width: 20 })).toBe(
      'Error: there is no\n  such report, sadly\n  There are: funnel,\n    daily\n  LPA-X, exit 2\n',
    )
    const word = new UserError('LPA-X', 'a'.repeat(40), { exit: 'usage' })
    expect(failureOutput(word, { ...plain, width: 20 })).toBe(
      `Error:\n  ${'a'.repeat(40)}\n  LPA-X, exit 2\n`,
    )
  })

  it('names the profile where it tells commands', () => {
    const lines = (next: string) =>
      failureOutput(new UserError('LPA-X', 'There is none.', { exit: 'noInput', next }), {
        ...plain,
        profile: 'prod',
      }).split('\n')
    expect(lines('Make it: lpa schema apply')).toContain('  Here with --profile prod.')
    expect(lines('Check the path.')).not.toContain('  Here with --profile prod.')
    expect(lines('See lpa query --help.')).not.toContain('  Here with --profile prod.')
  })

  it('is one line of JSON', () => {
    const text = failureOutput(error, { ...plain, json: true })
    expect(text.indexOf('\n')).toBe(text.length - 1)
    expect(JSON.parse(text)).toEqual(failureJson(error))
  })
})
