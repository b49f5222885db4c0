declare module 'kafkajs-snappy' {
  /** A codec for kafkajs's `CompressionCodecs`. */
  export default function snappy(): {
    compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
    decompress(buffer: Buffer): Promise<Buffer>
  }
}
