// Loaded before lpa (node --import): what is waited for by a timer, such as the pauses between tries of Snowflake's driver,
// is a twentieth of itself.

const { setTimeout: inTime } = globalThis

globalThis.setTimeout = Object.assign(
  (work, ms = 0, ...more) => inTime(work, ms > 400 ? ms / 20 : ms, ...more),
  inTime,
)
