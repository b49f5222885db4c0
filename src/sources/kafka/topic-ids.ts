/** Asks for the ids of topics, which kafkajs does not know: a topic that is made anew under its name has another. */

/** What is used of kafkajs's decoder. */
interface Decoder {
  readInt8(): number
  readInt16(): number
  readInt32(): number
  readBoolean(): boolean
  readUVarInt(): number
  readBytes(length: number): Buffer
}

export interface TopicMetadata {
  readonly topic: string
  /** As Kafka's own tools print it: `Zk3xA…`. */
  readonly topicId: string
  /** Kafka's number; 0: none. */
  readonly errorCode: number
  readonly partitions: readonly number[]
}

const API_KEY = 3
/** The first version that tells and takes ids by name; of Kafka 2.8. */
export const API_VERSION = 12

/** A request as kafkajs's connections send it: the body, after the tagged fields that end a header of this version. */
export function topicIdsRequest(
  topics: readonly string[],
  Encoder: new () => { writeBuffer(bytes: Buffer): unknown },
) {
  const parts: Buffer[] = [Buffer.from([0]), unsigned(topics.length + 1)]
  for (const topic of topics) {
    const name = Buffer.from(topic)
    // No id, the name, no tagged fields.
    parts.push(Buffer.alloc(16), unsigned(name.length + 1), name, Buffer.from([0]))
  }
  // Makes no topic, asks for no permissions, no tagged fields.
  parts.push(Buffer.from([0, 0, 0]))
  return {
    ...{ apiKey: API_KEY, apiVersion: API_VERSION, apiName: 'Metadata' },
    encode: async () => new Encoder().writeBuffer(Buffer.concat(parts)),
  }
}

export function topicIdsResponse(Decoder: new (bytes: Buffer) => Decoder) {
  return {
    decode: async (bytes: Buffer) => readTopics(new Decoder(bytes)),
    parse: async (topics: readonly TopicMetadata[]) => topics,
  }
}

/** Metadata Response, version 12 (KIP-516), with the tagged fields that end its header. */
function readTopics(decoder: Decoder): readonly TopicMetadata[] {
  skipTags(decoder)
  // The time of throttling.
  decoder.readInt32()
  each(decoder, () => {
    // A broker: id, host, port, rack.
    decoder.readInt32()
    readText(decoder)
    decoder.readInt32()
    readText(decoder)
    skipTags(decoder)
  })
  // The cluster and its controller.
  readText(decoder)
  decoder.readInt32()
  return each(decoder, () => {
    const errorCode = decoder.readInt16()
    const topic = readText(decoder) ?? ''
    const topicId = decoder.readBytes(16).toString('base64url')
    decoder.readBoolean()
    const partitions = each(decoder, () => {
      decoder.readInt16()
      const partition = decoder.readInt32()
      // Its leader and epoch; its replicas, those in sync, those offline.
      decoder.readInt32()
      decoder.readInt32()
      for (let list = 0; list < 3; list += 1) each(decoder, () => decoder.readInt32())
      skipTags(decoder)
      return partition
    })
    decoder.readInt32()
    skipTags(decoder)
    return { topic, topicId, errorCode, partitions: partitions.sort((a, b) => a - b) }
  })
}

function each<T>(decoder: Decoder, read: () => T): T[] {
  return Array.from({ length: Math.max(0, decoder.readUVarInt() - 1) }, read)
}

function readText(decoder: Decoder): string | undefined {
  const length = decoder.readUVarInt() - 1
  return length < 0 ? undefined : decoder.readBytes(length).toString('utf8')
}

function skipTags(decoder: Decoder): void {
  for (let count = decoder.readUVarInt(); count > 0; count -= 1) {
    decoder.readUVarInt()
    decoder.readBytes(decoder.readUVarInt())
  }
}

function unsigned(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  return Buffer.from([...bytes, value])
}
