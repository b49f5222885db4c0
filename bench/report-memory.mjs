// Preloaded into a measured process: leaves its peak resident memory (MB) in the file that BENCH_MEMORY names.
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const { maxRSS } = process.resourceUsage()
  writeFileSync(process.env.BENCH_MEMORY, String(Math.round(maxRSS / 1024)))
})
