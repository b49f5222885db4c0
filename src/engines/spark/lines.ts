/** Reads lines of clear text on Spark, in a session of its own, which shows nothing of the key. */

import { refuseClear } from './address.ts'
import { filesIn } from './models.ts'
import { type SessionOptions, SparkSession } from './session.ts'

/** What looks like a key, as hex or base64, in whatever the server tells of this session's statements. */
const SECRETS = '[0-9A-Fa-f]{64,}|[0-9A-Za-z+/]{80,}=*'
export const DISCREET: Readonly<Record<string, string>> = {
  'spark.sql.caseSensitive': 'true',
  'spark.sql.redaction.string.regex': SECRETS,
}

export interface SparkLines extends AsyncDisposable {
  write(request: LinesRequest): Promise<readonly string[]>
}

interface LinesRequest {
  readonly path: string
  readonly folder: string
  /** A SELECT over the two views, `value` of one and `inner`, `outer` and `keys` of the other. */
  readonly select: string
  readonly views: { readonly lines: string; readonly pads: string }
  readonly pads: Readonly<Record<'inner' | 'outer' | 'keys', Buffer>>
}

/**
 * @param settings Spark's own, beside lpa's
 * @throws UserError notPermitted (77) where the key would leave this machine in the clear
 */
export async function openSparkLines(
  options: SessionOptions,
  settings: Readonly<Record<string, string>> = {},
): Promise<SparkLines> {
  refuseClear(options.address, 'The pseudonym key')
  const session = await SparkSession.open({ ...options, readsClear: true }, { ...settings, ...DISCREET })
  return {
    async write({ path, folder, select, views, pads }) {
      await session.viewOfBytes(views.pads, pads)
      await session.viewOfLines(views.lines, path)
      await session.write(select, folder)
      return filesIn(folder)
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
