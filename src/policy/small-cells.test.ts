/** Small cells: rows made by hand, and that nothing of random ones can be worked out. */

import { describe, expect, test } from 'vitest'
import { listSql, readSql } from '../sql-files.ts'
import type { Cell, Result } from '../types.ts'
import { readCells, withoutSmallCells } from './small-cells.ts'
import { canBeSolved, mulberry } from './solving.test-support.ts'

function table(text: string): Result {
  const [head = '', ...lines] = text.trim().split('\n')
  const names = head.trim().split(/\s+/)
  const rows = lines.map((line) =>
    line
      .trim()
      .split(/\s+/)
      .map((word): Cell => (word === '-' ? null : Number.isNaN(Number(word)) ? word : Number(word))),
  )
  const columns = names.map((name, index) => ({
    name,
    type: typeof rows[0]?.[index] === 'string' ? ('text' as const) : ('integer' as const),
  }))
  return { columns, rows }
}

/** The rows as text, `x` for what is left out. */
function shown(text: string, cells: readonly string[], least = 10): string[] {
  const before = table(text)
  const rules = readCells(cells)
  if (!Array.isArray(rules)) throw new Error('These cells cannot be read.')
  const after = withoutSmallCells(before, rules, least)
  return after.rows.map((row) => {
    const whole = before.rows.find(([name]) => name === row[0])
    return row
      .map((cell, column) => (cell === null && whole?.[column] !== null ? 'x' : (cell ?? '-')))
      .join(' ')
  })
}

describe('every report', () => {
  test.each(listSql('reports'))('%s says what its cells are', (name) => {
    const report = readSql('reports', name)
    expect(readCells(report.header.cells)).toBeDefined()
    // Every name in the rules is in the SQL, or in that of the report that has the column.
    for (const line of report.header.cells ?? []) {
      const [, own = line, theirs, other] = /^(.*) (\w+) of ([a-z]+-[a-z-]+)$/.exec(line) ?? []
      for (const word of own.match(/[a-z]+_[a-z_0-9]+/g) ?? []) expect(report.body).toContain(word)
      if (other !== undefined && !own.endsWith(' its'))
        expect(readSql('reports', other).body).toContain(theirs)
    }
  })

  test('of learners shows none to who may not see few', () => {
    const ofLearners = listSql('reports').filter(
      (name) => readCells(readSql('reports', name).header.cells) === 'learners',
    )
    const holding = listSql('reports').filter((name) =>
      /\blearner_id\b/.test(readSql('reports', name).body.split('\nselect ').at(-1) ?? ''),
    )
    expect(ofLearners).toEqual(['at-risk', 'reconciliation-differences'])
    expect(holding).toEqual(ofLearners)
  })
})

test('what cannot be read is nothing, not everything', () => {
  expect(readCells(undefined)).toBeUndefined()
  expect(readCells(['enrolled', 'completed are pieces of enrolled'])).toBeUndefined()
  expect(readCells(['none'])).toBe('nobody')
  expect(readCells(['none', 'enrolled'])).not.toBe('nobody')
})

describe('a table', () => {
  test('without small cells is as it was', () => {
    const result = table('course n\na 10\nb 25\nc 0')
    const rules = readCells(['n', 'n add up'])
    expect(withoutSmallCells(result, rules as never, 10)).toBe(result)
  })

  test('loses a small cell and, since others know the sum, the next smallest', () => {
    expect(shown('course n\na 40\nb 7\nc 12\nd 0', ['n', 'n adds up'])).toEqual(['a 40', 'b x', 'c x', 'd 0'])
  })

  test('of two small cells needs no third', () => {
    expect(shown('course n\na 40\nb 7\nc 3\nd 12', ['n', 'n adds up'])).toEqual([
      'a 40',
      'b x',
      'c x',
      'd 12',
    ])
  })

  test('of counts that do not add up loses only the small ones', () => {
    expect(shown('day n\na 40\nb 7\nc 12', ['n'])).toEqual(['a 40', 'b x', 'c 12'])
  })

  test('with its total among the rows keeps that, where it can', () => {
    const rows = 'course n\nAll 59\na 40\nb 7\nc 12'
    expect(shown(rows, ['n', 'n adds up to course = All'])).toEqual(['All 59', 'a 40', 'b x', 'c x'])
    expect(shown('course n\nAll 47\na 40\nb 7', ['n', 'n adds up to course = All'])).toEqual([
      'All 47',
      'a x',
      'b x',
    ])
    expect(shown('course n\nAll 7\nb 7', ['n', 'n adds up to course = All'])).toEqual(['All x', 'b x'])
  })

  test('loses a third cell where two add up to few, and so may be one each', () => {
    expect(shown('course n\na 40\nb 1\nc 1\nd 12', ['n', 'n adds up'])).toEqual(['a 40', 'b x', 'c x', 'd x'])
    expect(shown('course n\na 12\nb 1\nc 1', ['n', 'n adds up'])).toEqual(['a x', 'b x', 'c x'])
    const rows = 'course n\nAll 12\na 10\nb 1\nc 1'
    expect(shown(rows, ['n', 'n adds up to course = All'])).toEqual(['All 12', 'a x', 'b x', 'c x'])
  })

  test('tells nothing by the order of its rows', () => {
    const rows = 'course n percent\nAll 47 50\nd 24 90\na 16 40\nc 4 20\nb 3 10'
    const cells = ['n', 'n adds up to course = All', 'percent follows n', 'the order follows percent']
    expect(shown(rows, cells)).toEqual(['All 47 50', 'd 24 90', 'a x x', 'b x x', 'c x x'])
  })

  test('loses a part when few are left without it', () => {
    expect(shown('course of n\na 50 30\nb 50 48\nc 50 50', ['of, n', 'n is part of of'])).toEqual([
      ...['a 50 30', 'b 50 x', 'c 50 50'],
    ])
  })

  test('loses enough that parts, sums and totals together do not tell', () => {
    const rows = `course in done open
      All 150 90 60
      a 60 57 3
      b 50 20 30
      c 40 13 27`
    const cells = ['in, done, open', 'in, done, open add up to course = All', 'in = done + open']
    expect(shown(rows, cells)).toEqual(['All 150 90 60', 'a 60 x x', 'b 50 20 30', 'c 40 x x'])
  })

  test('loses what follows from what is left out', () => {
    expect(shown('course n percent\na 5 50\nb 20 70', ['n', 'percent follows n'])).toEqual([
      'a x x',
      'b 20 70',
    ])
    expect(shown('step n percent\na 50 100\nb 6 12', ['n', 'percent follows every n'])).toEqual([
      'a 50 x',
      'b x x',
    ])
  })

  test('loses a share that tells of few', () => {
    const cells = ['of', 'share is a share of of']
    // 6 of 100, 6 of 100 not, half, none, all.
    expect(shown('k of share\na 100 6\nb 100 94\nc 100 50\nd 100 0\ne 100 100', cells)).toEqual([
      ...['a 100 x', 'b 100 x', 'c 100 50', 'd 100 0', 'e 100 100'],
    ])
  })

  test('loses a share that others tell of by the total', () => {
    const cells = ['of', 'of adds up to k = All', 'share is a share of of']
    const rows = 'k of share\nAll 300 20\na 100 34\nb 100 6\nc 100 20'
    expect(shown(rows, cells)).toEqual(['All 300 20', 'a 100 34', 'b 100 x', 'c 100 x'])
  })

  test('loses what few did as their count, and not to be told by the sum either', () => {
    const cells = ['learners, events', 'events adds up', 'events follows learners']
    expect(shown('day learners events\na 40 400\nb 5 90\nc 30 200', cells)).toEqual([
      ...['a 40 400', 'b x x', 'c 30 x'],
    ])
  })

  test('knows what a row repeats of an earlier one, and means over it', () => {
    const cells = ['n, before', 'n add up', 'before is n 2 rows before', 'mean is the mean of n over 2 rows']
    expect(shown('day n before mean\na 4 - 4\nb 30 - 17\nc 20 4 25\nd 50 30 35\ne 60 20 55', cells)).toEqual([
      ...['a x - x', 'b 30 - x', 'c x x x', 'd 50 30 x', 'e 60 x 55'],
    ])
  })

  test('knows a tree', () => {
    const cells = ['n', 'n adds up along path']
    const rows = 'path n\nArt 30\nArt/Oil 26\nScience 95\nScience/Physics 60\nScience/Biology 35'
    // Four are in Art and in nothing below it.
    expect(shown(rows, cells)).toEqual([
      'Art 30',
      'Art/Oil x',
      'Science 95',
      'Science/Physics 60',
      'Science/Biology 35',
    ])
  })

  test('knows steps', () => {
    const cells = ['reached, last', 'reached falls by last within course']
    const rows = 'course reached last\na 50 20\na 30 3\na 27 27\nb 40 40'
    expect(shown(rows, cells)).toEqual(['a 50 20', 'a 30 x', 'a x x', 'b 40 40'])
  })
})

describe('of random tables', () => {
  const seed = Math.floor(Math.random() * 1e9)
  test(`nothing small can be worked out (seed ${seed})`, () => {
    const random = mulberry(seed)
    const pick = (most: number) => Math.floor(random() * (most + 1))
    for (let round = 0; round < 300; round += 1) {
      const courses = 2 + pick(5)
      const rows = Array.from({ length: courses }, () => {
        const [done, gone, open] = [pick(1 + pick(40)), pick(1 + pick(15)), pick(1 + pick(40))]
        return [done + gone + open, done, gone, open]
      })
      const total = [0, 1, 2, 3].map((column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0))
      const all = [total, ...rows]
      const result: Result = {
        columns: ['course', 'enrolled', 'done', 'gone', 'open'].map((name, index) => ({
          name,
          type: index === 0 ? ('text' as const) : ('integer' as const),
        })),
        rows: all.map((row, index) => [index === 0 ? 'All' : `c${index}`, ...row]),
      }
      const cells = [
        'enrolled, done, gone, open',
        'enrolled, done, gone, open add up to course = All',
        'enrolled = done + gone + open',
      ]
      const after = withoutSmallCells(result, readCells(cells) as never, 10)
      const values = all.flat()
      const isShown = after.rows.flatMap((row) => row.slice(1).map((cell) => cell !== null))
      // Row by row: enrolled = done + gone + open; column by column: all = the courses.
      const sums = [
        ...all.map(
          (_, row) =>
            new Map([
              [row * 4, 1],
              [row * 4 + 1, -1],
              [row * 4 + 2, -1],
              [row * 4 + 3, -1],
            ]),
        ),
        ...[0, 1, 2, 3].map(
          (column) =>
            new Map(all.map((_, row) => [row * 4 + column, row === 0 ? 1 : -1] as [number, number])),
        ),
      ]
      for (const [cell, value] of values.entries()) {
        if (value === 0 || value >= 10) continue
        expect(isShown[cell], `cell ${cell} of round ${round}`).toBe(false)
        expect(canBeSolved(cell, sums, isShown), `cell ${cell} of round ${round}`).toBe(false)
      }
      for (const sum of sums) {
        const left = [...sum].filter(([cell]) => isShown[cell] === false)
        if (new Set(left.map(([, factor]) => factor)).size !== 1) continue
        const together = left.reduce((all, [cell]) => all + (values[cell] ?? 0), 0)
        expect(together, `sum of round ${round}`).toSatisfy((all: number) => all === 0 || all >= 10)
      }
    }
  })
})

describe('of random courses', () => {
  const seed = Math.floor(Math.random() * 1e9)
  test(`completion-rate tells of nobody (seed ${seed})`, () => {
    const random = mulberry(seed)
    const pick = (most: number) => Math.floor(random() * (most + 1))
    const cells = readCells(readSql('reports', 'completion-rate').header.cells)
    for (let round = 0; round < 60; round += 1) {
      // Enrolled, viewed, explored, completed; completed of those who viewed, and of those who explored.
      const courses = Array.from({ length: 1 + pick(4) }, () => {
        const enrolled = 1 + pick(60)
        const [viewed, explored, completed] = [pick(enrolled), pick(enrolled), pick(enrolled)]
        const both = (of: number) =>
          Math.max(0, of + completed - enrolled) +
          pick(Math.min(of, completed, enrolled - of, enrolled - completed))
        return [enrolled, viewed, explored, completed, both(viewed), both(explored)]
      })
      const all = [0, 1, 2, 3, 4, 5].map((column) =>
        courses.reduce((sum, row) => sum + (row[column] ?? 0), 0),
      )
      const counts = [all, ...courses]
      const percent = (part = 0, whole = 0) =>
        whole === 0 ? null : Math.floor((1000 * part) / whole + 0.5) / 10
      const names =
        'course_id course_title enrolled viewed explored completed of_enrolled_percent of_viewed_percent of_explored_percent'
      const result: Result = {
        columns: names.split(' ').map((name, index) => ({ name, type: index < 2 ? 'text' : 'double' })),
        rows: counts.map(([e = 0, v = 0, x = 0, c = 0, a = 0, b = 0], index) => [
          ...[index === 0 ? null : `c${index}`, index === 0 ? 'All courses' : `C${index}`, e, v, x, c],
          ...[percent(c, e), percent(a, v), percent(b, x)],
        ]),
      }
      const shown = withoutSmallCells(result, cells as never, 10)
      const rows = result.rows.flatMap(([id]) => shown.rows.filter((row) => row[0] === id))
      // Beside the counts, the rests that follow from them: who is in the first and not in the second.
      const rests = [
        [0, 1],
        [0, 2],
        [0, 3],
        [1, 4],
        [3, 4],
        [2, 5],
        [3, 5],
      ] as const
      const width = 6 + rests.length
      const values = counts.flatMap((row) => [
        ...row,
        ...rests.map(([whole, part]) => (row[whole] ?? 0) - (row[part] ?? 0)),
      ])
      const isShown = rows.flatMap((row) => [
        ...[2, 3, 4, 5].map((column) => row[column] !== null),
        ...[
          [7, 3],
          [8, 4],
        ].map(([share = 0, of = 0]) => row[share] !== null && row[of] !== null),
        ...rests.map(() => false),
      ])
      const sums = [
        ...counts.flatMap((_, row) =>
          rests.map(([whole, part], index) => {
            const first = row * width
            return new Map([
              [first + whole, 1],
              [first + part, -1],
              [first + 6 + index, -1],
            ] as [number, number][])
          }),
        ),
        ...[0, 1, 2, 3, 4, 5].map(
          (column) =>
            new Map(counts.map((_, row) => [row * width + column, row === 0 ? 1 : -1] as [number, number])),
        ),
      ]
      for (const [cell, value] of values.entries()) {
        if (value <= 0 || value >= 10) continue
        expect(isShown[cell], `cell ${cell} of round ${round}`).toBe(false)
        expect(canBeSolved(cell, sums, isShown), `cell ${cell} of round ${round}`).toBe(false)
      }
    }
  }, 60_000)
})

test('three thousand courses are no long work', () => {
  const random = mulberry(7)
  const pick = (most: number) => Math.floor(random() * (most + 1))
  const courses = Array.from({ length: 3000 }, () => [pick(20), pick(12), pick(60)])
  const total = [0, 1, 2].map((column) => courses.reduce((sum, row) => sum + (row[column] ?? 0), 0))
  const rows = [total, ...courses].map((row, index) => [
    index === 0 ? 'All courses' : `c${index}`,
    row.reduce((sum, count) => sum + count, 0),
    ...row,
  ])
  const columns = ['course_title', 'enrolled', 'completed', 'withdrawn', 'still_open'].map((name, index) => ({
    ...{ name, type: index === 0 ? ('text' as const) : ('integer' as const) },
  }))
  const cells = readCells(readSql('reports', 'time-to-completion').header.cells)
  const started = process.cpuUsage()
  expect(withoutSmallCells({ columns, rows }, cells as never, 10).hidden?.length).toBeGreaterThan(1000)
  expect(process.cpuUsage(started).user / 1e6).toBeLessThan(5)
}, 30_000)
