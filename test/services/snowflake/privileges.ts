/**
 * Which privileges there are on which kind of object, as Snowflake's documentation has them ("Access control privileges").
 * sqlfluff takes `grant select on warehouse`: this does not.
 */

const CREATED_IN_SCHEMA = [
  'table',
  'view',
  'stage',
  'sequence',
  'tag',
  'masking policy',
  'row access policy',
  'dynamic table',
  'function',
  'procedure',
  'task',
  'stream',
  'pipe',
]

export const PRIVILEGES: Readonly<Record<string, readonly string[]>> = {
  account: [
    ...[
      'create role',
      'create database',
      'create warehouse',
      'create user',
      'manage grants',
      'monitor usage',
    ],
    ...['apply tag', 'apply masking policy', 'apply row access policy', 'execute task'],
  ],
  database: ['usage', 'modify', 'monitor', 'create schema', 'create database role'],
  schema: ['usage', 'modify', 'monitor', ...CREATED_IN_SCHEMA.map((kind) => `create ${kind}`)],
  table: ['select', 'insert', 'update', 'delete', 'truncate', 'references', 'evolve schema'],
  view: ['select', 'references'],
  stage: ['usage', 'read', 'write'],
  sequence: ['usage'],
  warehouse: ['usage', 'operate', 'modify', 'monitor'],
  tag: ['apply', 'read'],
  'masking policy': ['apply'],
  'row access policy': ['apply'],
}

/** What is wrong with a GRANT or REVOKE; undefined for good ones, and for all other statements. */
export function nonsense(statement: string): string | undefined {
  const text = statement.trim().replace(/\s+/g, ' ').toLowerCase()
  if (!/^(grant|revoke) /.test(text)) return undefined
  if (/^(grant|revoke) role \S+ (to|from) (role|user) \S+$/.test(text)) return undefined
  const [, verb, privileges = '', many, target = ''] =
    /^(grant|revoke) (.+?) on (?:(all|future) )?(.+?) (?:to|from) role \S+$/.exec(text) ?? []
  if (verb === undefined) return `not understood: ${text}`
  if ((verb === 'grant') !== / to role \S+$/.test(text)) return `${verb} with the other's word: ${text}`
  const kinds = Object.keys(PRIVILEGES).sort((a, b) => b.length - a.length)
  const named = many ? target.replace(/s in (schema|database) \S+$/, '') : target.replace(/ \S+$/, '')
  const kind = target === 'account' ? 'account' : kinds.find((one) => one === named)
  if (kind === undefined) return `no kind of object: ${text}`
  const unknown = privileges.split(', ').filter((privilege) => !PRIVILEGES[kind]?.includes(privilege))
  return unknown.length > 0 ? `there is no ${unknown.join(', ')} on a ${kind}: ${text}` : undefined
}
