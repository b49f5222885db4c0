#!/usr/bin/env node
// The built entry. Plain JavaScript that an old Node can parse, so that it can say that it is too old.

const LEAST = [22, 19]
const EXIT_CONFIG = 78

/** With these lpa dash is no live dashboard, but one picture, numbers, a file or help. */
const ONCE = /^(--once|--format|--json|--export|--help|-h)(=|$)/

const [major, minor] = process.versions.node.split('.').map(Number)
const first = process.argv[2]

if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  process.stderr.write(
    `LPA-NODE-TOO-OLD: lpa needs Node ${LEAST.join('.')} or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      '  Install Node 24 LTS from https://nodejs.org or with your version manager (nvm install 24, fnm install 24).\n' +
      '  In a checkout of lpa, npm run demo brings its own: node_modules/.bin/node\n',
  )
  process.exitCode = EXIT_CONFIG
} else {
  // Importing node:fs loads all streams with it (3 ms); this does not.
  const { mkdirSync, readFileSync, writeSync } = process.getBuiltinModule('node:fs')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const root = fileURLToPath(new URL('..', import.meta.url))
  if (process.argv.length === 3 && (first === '--version' || first === '-V')) {
    // Before oclif, which alone takes three times as long as Node itself.
    const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
    try {
      writeSync(1, `lpa/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
    } catch (error) {
      // As src/exit.ts has it.
      process.exitCode = error.code === 'EPIPE' ? 141 : error.code === 'ENOSPC' ? 73 : 74
      if (error.code !== 'EPIPE')
        process.stderr.write(`Error: standard output cannot be written: ${error.code}.\n`)
    }
  } else {
    const undoSkeleton = first === 'dash' ? drawSkeleton(writeSync) : undefined
    // Not Node's default: a folder in the shared temporary folder could be prepared by somebody else.
    const { homedir } = process.getBuiltinModule('node:os')
    const folder = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/lpa/compile`
    // The cache's own folders too.
    process.umask(0o077)
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      process.getBuiltinModule('node:module').enableCompileCache(process.env.NODE_COMPILE_CACHE || folder)
    } catch {
      // A home that cannot be written, or none: starts slower, all else is the same.
    }
    if (undoSkeleton) {
      const { startLive } = await import('../dist/src/dash/live/start.js')
      await startLive({ root, undoSkeleton })
    }
    const { start } = await import('../dist/src/start.js')
    await start({ root })
  }
}

/**
 * The first thing that lpa dash shows, before anything is imported, if it is going to be live; answers what takes it
 * back. The end of the process does so too, until Ink has the terminal.
 */
function drawSkeleton(writeSync) {
  const { isatty } = process.getBuiltinModule('node:tty')
  const { INK_SCREEN_READER, TERM } = process.env
  const isLive = isatty(0) && isatty(1) && TERM !== 'dumb'
  if (!isLive || process.argv.slice(3).some((word) => ONCE.test(word))) return undefined
  if (INK_SCREEN_READER === 'true') return () => {}
  let isUndone = false
  const undo = () => {
    if (!isUndone) writeSync(1, '\x1b[?1049l\x1b[?25h')
    isUndone = true
  }
  process.on('exit', undo)
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])
    process.on(signal, () => process.exit(code))
  // Stopped now it would leave the terminal to the shell as it is.
  process.on('SIGTSTP', () => {})
  // Whoever may end it now takes it back.
  writeSync(1, '\x1b[?1049h\x1b[?25l\x1b[H \x1b[1mlpa\x1b[0m  opening the warehouse')
  return undo
}
