const PART = String.raw`\p{L}\p{M}\p{N}`

/** An e-mail address in a text, for JavaScript (flag u) and DuckDB: in letters of any script, as zoë@uni-köln.example. */
export const EMAIL_SHAPE = String.raw`[${PART}._%+-]+@[${PART}-]+(?:[.][${PART}-]+)*[.][\p{L}\p{M}]{2,}`
