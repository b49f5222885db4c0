import { readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, expect, it } from 'vitest'
import { loadOclifConfig } from './oclif-config.ts'
import { README, readme } from './readme.ts'

let config: Awaited<ReturnType<typeof loadOclifConfig>>
beforeAll(async () => {
  config = await loadOclifConfig()
})

it('README.md says what commands, engines and the example mapping say (npm run golden rewrites it)', () => {
  const text = readFileSync(README, 'utf8')
  const current = readme(text, config)
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(README, current)
  else
    expect(text === current, 'README.md is stale. Run: npm run golden, or node scripts/readme.ts').toBe(true)
})

it('has a row for every command and changes nothing outside its parts', () => {
  const bare = [
    'one',
    ...['mapping', 'json', 'needs', 'commands', 'engines'].map(
      (name) => `<!-- ${name}: made -->\nold\n\ntext`,
    ),
  ]
  const made = readme(`${bare.join('\n')}\n`, config)
  expect(made).not.toMatch(/^old$/m)
  expect(made.match(/^(one|text|<!-- \w+:.*)$/gm)).toEqual([
    ...[
      'one',
      '<!-- mapping: made -->',
      'text',
      '<!-- json: made -->',
      'text',
      '<!-- needs: made -->',
      'text',
    ],
    ...['<!-- commands: made -->', 'text'],
    ...['<!-- engines: made -->', 'text'],
  ])
  for (const { id, hidden } of config.commands) {
    if (hidden || id === 'help') continue
    const words = id.split(':')
    const named = made.includes(`\`lpa ${words.join(' ')}`) || made.includes(`\` · \`${words.at(-1)}`)
    expect(named, id).toBe(true)
  }
})

it('a part that README.md lost is missed', () => {
  expect(() => readme('', config)).toThrow('README.md has no <!-- mapping: … -->')
})
