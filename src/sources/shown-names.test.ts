import { expect, test } from 'vitest'
import { lookLikeNames, shownNames } from './shown-names.ts'

test.each([
  'Gebühr (€)',
  'Gebühr €',
  'Kurs?',
  'Prüfung & Note',
  'Dauer [min]',
  '2024',
  '# Versuche',
  '$.a.b',
  '%',
])('a header with %s is shown', (name) => {
  const header = ['Kurs', 'Titel', 'Von', name]
  expect(shownNames(header)).toBe(header.join(', '))
})

test.each([
  'clear@example.org',
  '+49 170 1234567',
  '0170/1234567',
  '192.168.0.1',
  '1000001',
  '2026-03-04',
  '31.12.2026',
  '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
  'x'.repeat(61),
  'a\u0007b',
])('a line with %s is none', (value) => {
  expect(shownNames(['Anna', 'Schmidt', 'Physik', 'Berlin', value])).toMatch(/^not shown/)
})

test('a line with many short numbers is none', () => {
  expect(shownNames(['Anna', 'Schmidt', '3'])).toMatch(/^not shown/)
})

test.each([
  [['Jane Zyqwd', 'Mathematics']],
  [['Jane Zyqwd', 'course', 'grade', 'status']],
  [['Zyqwd, Jane', 'course', 'grade', 'status']],
  [['Anna', 'Schmidt', 'Physik', 'Berlin']],
  [['jzyqwd', 'physics', '7']],
  [['Jane Zyqwd', '$.Jane Zyqwd.score', '$.Jane Zyqwd.grade', '$.Jane Zyqwd.status']],
  [['jzyqwd', '$.jzyqwd.score']],
  [['jzyqwd', '$.jzyqwd.score', 'asmith', '$.asmith.score']],
])('people are no names of columns: %j', (names) => {
  expect(shownNames(names)).toMatch(/^not shown/)
})

test.each([
  ['Student Name,First Name,Course Title,Start Date,Final Grade'],
  ['Vorname,Nachname,Matrikel-Nr.,Kurstitel,Anmeldedatum'],
  ['Course Full Name,Last Access,Time Spent,Completion Status'],
  ['id,actor,verb,object,result,context,timestamp,stored,authority,version,$.actor.mbox,$.verb.display'],
  ['Nom,Prénom,Numéro étudiant,Intitulé du cours,Moyenne'],
  ['Nombre,Apellidos,Curso,Fecha de inicio,Nota'],
  ['eventTime,actor,action,object,edApp,group,membership,generated'],
  ['id_assessment,id_student,date_submitted,is_banked,score'],
  ['gender,region,highest_education,imd_band,age_band,num_of_prev_attempts,disability,final_result'],
  ['c1,c2,c3'],
  ['id,renamed'],
])('headers as they are exported: %s', (header) => {
  expect(lookLikeNames(header.split(','))).toBe(true)
})
