/** Columns that look personal: by the words of their header, or by the shape of their values. */

import { type Field, fieldLabel } from './fields.ts'
import type { Head } from './recognise.ts'

const WORDS =
  /^(e?_?mail|e_?mail_?address|phone|tel|telephone|mobile|(first|last|given|family|full|user|nick|middle|sur)_?name|name|surname|username|login|address|street|zip|postcode|postal_code|ip|ip_?address|birth_?(date|day)|date_of_birth|dob|ssn|passport|(student|matriculation|person|user|learner|candidate|employee)_?(id|no|nr|number)|national_id|iban|id_student)$/i

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}/, 'holds e-mail addresses'],
  [/^(\d{1,3}\.){3}\d{1,3}$/, 'holds IP addresses'],
  [/^\+\d[\d ()/-]{7,}$/, 'holds phone numbers'],
]

/**
 * The first field that looks personal and of which the mapping says nothing, with why. The answer quotes no value.
 */
export function findPersonalLook(
  fields: readonly Field[],
  head: Pick<Head, 'values'>,
): { column: string; why: string } | undefined {
  for (const field of fields) {
    if (field.change || field.isPublic || field.inside.length > 0) continue
    const words = [field.name, ...field.path.slice(-1)]
    if (words.some((word) => WORDS.test(word.replace(/[\s.-]+/g, '_')))) {
      return { column: fieldLabel(field), why: 'is named like a personal value' }
    }
    const values = head.values(field)
    for (const [shape, why] of SHAPES) {
      if (values.some((value) => shape.test(value))) return { column: fieldLabel(field), why }
    }
  }
  return undefined
}
