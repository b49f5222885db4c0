/**
 * CSV text rewritten in flight so that no reader can take it two ways: line feeds as the only line ends outside
 * quotes, no blank lines. DuckDB's own reader fails on mixed line ends, and at the ends of its buffers it was seen to
 * read rows beside blank lines twice, or with a line end in their first value.
 */

const LF = 10
const CR = 13
const QUOTE = 34

/** Feed it every chunk of the text; it answers what to hand on. */
export function plainCsv(delimiter: string): (chunk: Buffer) => Buffer {
  const DELIMITER = delimiter.charCodeAt(0)
  let quoted = false
  let fieldStart = true
  let closed = false
  let lineStart = true

  return (chunk) => {
    const out = Buffer.allocUnsafe(chunk.length)
    let length = 0
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index] as number
      if (quoted) {
        out[length++] = byte
        if (byte === QUOTE) {
          quoted = false
          closed = true
        }
        continue
      }
      if (byte === CR || byte === LF) {
        // The second half of CRLF finds itself at the start of a line, as a blank line does.
        if (!lineStart) out[length++] = LF
        lineStart = true
        fieldStart = true
        closed = false
        continue
      }
      out[length++] = byte
      lineStart = false
      if (byte === QUOTE && (fieldStart || closed)) quoted = true
      closed = false
      fieldStart = byte === DELIMITER
    }
    return out.subarray(0, length)
  }
}
