/**
 * A Kafka broker for trying `lpa stream`, until Ctrl-C: the one of the tests, in a temporary folder.
 *
 * usage: npm run kafka -- [--port N] [--topic NAME [--partitions N] [--produce FILE]]
 * Makes the topic, and sends each line of FILE (also .gz) as a message.
 */

import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { Broker } from '../test/services/kafka/broker.ts'
import { KafkaClient, type Message } from '../test/services/kafka/client.ts'
import { kafkaJars, NoKafka } from './kafka-jars.ts'

const values = asked()
const port = values.port === undefined ? undefined : Number(values.port)
if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536))
  fail(`--port ${values.port} is no port: 1 to 65535.`, 2)
if (values.produce && !values.topic) fail('--produce needs --topic: where the messages go.', 2)
if (values.produce && !existsSync(values.produce)) fail(`There is no file ${values.produce}.`, 66)

const stopped = Promise.withResolvers<void>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.resolve())

try {
  await using broker = await Broker.start(port === undefined ? {} : { port })
  const { plaintext } = broker.addresses
  console.log(`Kafka answers at ${plaintext} until Ctrl-C.`)
  if (values.topic) await makeTopic(plaintext, values.topic)
  const jars = await kafkaJars()
  const topic = values.topic ?? 'TOPIC'
  console.log(`To send it lines of a file, and to read them with lpa:
  java -cp '${jars}' org.apache.kafka.tools.ConsoleProducer --bootstrap-server ${plaintext} --topic ${topic} < FILE
  lpa stream kafka://${plaintext}/${topic}`)
  await stopped.promise
} catch (error) {
  const { message } = error as Error
  fail(error instanceof NoKafka ? `No Kafka: ${message}.` : message, 69)
}

function asked() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string' },
        topic: { type: 'string' },
        partitions: { type: 'string', default: '4' },
        produce: { type: 'string' },
      },
    }).values
  } catch (error) {
    const usage = 'npm run kafka -- [--port N] [--topic NAME [--partitions N] [--produce FILE]]'
    return fail(`${(error as Error).message}\n${usage}`, 2)
  }
}

async function makeTopic(address: string, topic: string): Promise<void> {
  await using client = await KafkaClient.connect(address)
  await client.createTopic(topic, Number(values.partitions))
  if (!values.produce) return
  let sent = 0
  for await (const part of linesOf(values.produce)) {
    await client.produce(topic, part)
    sent += part.length
  }
  console.log(`The topic ${topic} has ${sent} messages.`)
}

async function* linesOf(file: string): AsyncGenerator<Message[]> {
  let part: Message[] = []
  const bytes = createReadStream(file)
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  for await (const value of createInterface({ input, crlfDelay: Infinity })) {
    part.push({ value })
    if (part.length < 5000) continue
    yield part
    part = []
  }
  yield part
}

function fail(message: string, code: number): never {
  console.error(message)
  process.exit(code)
}
