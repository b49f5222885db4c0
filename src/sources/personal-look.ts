/** Columns that look personal: by the words of their header, or by the shape of their values. */

import type { Field } from './stage-one.ts'

const WORDS =
  /^(e?_?mail|e_?mail_?address|phone|tel|telephone|mobile|(first|last|given|family|full|user|nick|middle|sur)_?name|name|surname|username|login|address|street|zip|postcode|postal_code|ip|ip_?address|birth_?(date|day)|date_of_birth|dob|ssn|passport|(student|matriculation|person|user|learner|candidate|employee)_?(id|no|nr|number)|national_id|iban|id_student)$/i

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}/, 'holds e-mail addresses'],
  [/^(\d{1,3}\.){3}\d{1,3}$/, 'holds IP addresses'],
  [/^\+\d[\d ()/-]{7,}$/, 'holds phone numbers'],
]

/**
 * The first field that looks personal and of which the mapping says nothing, with why.
 * @param samples values by field name, clear: the answer quotes none of them.
 */
export function findPersonalLook(
  fields: readonly Field[],
  notPersonal: ReadonlySet<string>,
  samples: ReadonlyMap<string, readonly string[]>,
): { column: string; why: string } | undefined {
  for (const field of fields) {
    if (field.personal || field.generaliseTo !== undefined || notPersonal.has(field.name)) continue
    const words = [field.name, ...field.path.slice(-1)]
    if (field.isColumn && words.some((word) => WORDS.test(word.replace(/[\s.-]+/g, '_')))) {
      return { column: field.name, why: 'is named like a personal value' }
    }
    for (const [shape, why] of SHAPES) {
      if ((samples.get(field.name) ?? []).some((value) => shape.test(value)))
        return { column: field.name, why }
    }
  }
  return undefined
}
