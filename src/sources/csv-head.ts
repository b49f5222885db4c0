/** The first records of a CSV text: for its header, for recognising it, and for a look at its values. */

/** Records of `text` (RFC 4180), at most `limit`. The last one may be cut off by the end of the text. */
export function csvHead(text: string, delimiter: string, limit = 200): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let index = 0
  while (index < text.length && records.length < limit) {
    let value = ''
    if (text[index] === '"') {
      index += 1
      for (; index < text.length; index += 1) {
        if (text[index] !== '"') value += text[index]
        else if (text[index + 1] === '"') {
          value += '"'
          index += 1
        } else break
      }
      index += 1
    }
    while (index < text.length && text[index] !== delimiter && text[index] !== '\n' && text[index] !== '\r') {
      value += text[index]
      index += 1
    }
    record.push(value)
    if (text[index] === delimiter) {
      index += 1
      // A delimiter at the very end still opens a last, empty field.
      if (index === text.length) record.push('')
      continue
    }
    if (text[index] === '\r' && text[index + 1] === '\n') index += 1
    index += 1
    if (record.length > 1 || record[0] !== '') records.push(record)
    record = []
  }
  if (record.length > 0 && records.length < limit) records.push(record)
  return records
}
