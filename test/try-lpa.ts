// lpa with the commands of test/try-commands in place of its own: what all commands share is tested with them.

import { fileURLToPath } from 'node:url'
import { start } from '../src/start.ts'

await start({ root: fileURLToPath(new URL('..', import.meta.url)), commands: './test/try-commands' })
