/** The three lines of README that show a stream: a broker until Ctrl-C, its messages, lpa beside it. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { rowsOf } from '../../faults/dump.ts'
import { initPlace, lpaOk, removePlaces } from '../../faults/lpa.ts'
import { eventMessages } from './events.ts'
import { describeWithKafka } from './shared-broker.ts'

const SCRIPT = fileURLToPath(new URL('../../../scripts/kafka.ts', import.meta.url))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describeWithKafka('npm run kafka', () => {
  afterAll(removePlaces)

  test('makes a topic with messages, which lpa streams, and leaves nothing behind after Ctrl-C', async () => {
    const place = await initPlace('kafka-demo')
    const file = join(place.root, 'events.ndjson.gz')
    const lines = [...eventMessages({ seed: 91, count: 100 })].map(({ value }) => `${value}\n`)
    writeFileSync(file, gzipSync(lines.join('')))
    const folder = join(place.root, 'broker')
    mkdirSync(folder)
    const port = await freePort()
    const words = ['--port', String(port), '--topic', 'campus', '--produce', file]
    const running = spawn(process.execPath, [SCRIPT, ...words], { env: { ...process.env, TMPDIR: folder } })
    try {
      let told = ''
      for await (const part of running.stdout.setEncoding('utf8')) {
        told += part
        if (told.includes('lpa stream')) break
      }
      expect(told).toContain(`Kafka answers at 127.0.0.1:${port} until Ctrl-C.`)
      expect(told).toContain('The topic campus has 100 messages.')
      expect(told).toContain(`lpa stream kafka://127.0.0.1:${port}/campus`)
      await lpaOk(place, ['stream', `kafka://localhost:${port}/campus`, '--until-caught-up', '--quiet'])
      expect(await rowsOf(place, 'select count(*) from fact_learning_event')).toEqual([[100]])
    } finally {
      running.kill('SIGINT')
    }
    expect(await once(running, 'exit')).toEqual([0, null])
    expect(readdirSync(folder)).toEqual([])
    const socket = connect(port, '127.0.0.1')
    const [failure] = await once(socket, 'error')
    expect(failure).toMatchObject({ code: 'ECONNREFUSED' })
  }, 120_000)
})
