/**
 * An instant as users write it: `2026-01-12T08:00:00Z`, `2026-01-12 08:00+01:00`. Without a zone it is one of UTC, as
 * everything that lpa prints. Undefined for what is none.
 */
export function parseInstant(text: string): Date | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  const time = new Date(match ? `${match[1]}T${match[2]}${match[3] ?? 'Z'}` : Number.NaN)
  return Number.isNaN(time.getTime()) ? undefined : time
}
