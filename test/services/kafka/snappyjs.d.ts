declare module 'snappyjs' {
  const snappy: {
    compress(bytes: Buffer): Buffer
    uncompress(packed: Buffer): Buffer
  }
  export default snappy
}
