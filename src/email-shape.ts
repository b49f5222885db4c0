const PART = String.raw`\p{L}\p{M}\p{N}`

/**
 * An e-mail address in a text, for JavaScript (flag u) and DuckDB: in letters of any script, as zoë@uni-köln.example,
 * on this machine (x@localhost), and as a part of a URL (x%40example.com).
 */
export const EMAIL_SHAPE = String.raw`[${PART}._%+-]+(?:@|%40)(?:[${PART}-]+(?:[.][${PART}-]+)*[.][\p{L}\p{M}]{2,}|localhost)`
