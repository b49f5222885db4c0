#!/usr/bin/env node
// The TypeScript entry, without a build: node --import tsx bin/dev.js …

import { fileURLToPath } from 'node:url'
import { start } from '../src/start.ts'

await start({ root: fileURLToPath(new URL('..', import.meta.url)), commands: './commands' })
