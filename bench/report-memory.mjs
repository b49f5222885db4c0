// Preloaded into a measured process: leaves its peak resident memory (MB) in the file that BENCH_MEMORY names, and the seconds of
// CPU that it took in that of BENCH_CPU.
import { writeFileSync } from 'node:fs'

const { BENCH_MEMORY, BENCH_CPU } = process.env

process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  writeFileSync(BENCH_MEMORY, String(Math.round(maxRSS / 1024)))
  if (BENCH_CPU) writeFileSync(BENCH_CPU, String((userCPUTime + systemCPUTime) / 1e6))
})
