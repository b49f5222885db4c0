import { expect, test } from 'vitest'
import { openDuckDB, quoteText, readRows } from '../duckdb.ts'
import { isPersonalName, PERSONAL_KEY, sortOfName } from './personal-words.ts'

const personal = [
  ...[
    'Student Name',
    'learner_name',
    'learnerName',
    'name of student',
    'displayName',
    'Name',
    'Name 1',
    'First Name',
  ],
  ...[
    'email',
    'email2',
    'E-Mail-Adresse',
    'userEmail',
    'phone',
    'homePhone',
    'tel',
    'client_ip',
    'ip',
    'ipAddress',
  ],
  ...[
    'student_id',
    'studentId',
    'id_student',
    'user_id',
    'Student No.',
    'employee number',
    'person_nr',
    'username',
  ],
  ...['birthDate', 'dob', 'address', 'zip', 'postcode', 'login', 'comment', 'Comments', 'student_comment'],
  ...[
    'Nachname',
    'Schülername',
    'Name des Studenten',
    'Matrikelnummer',
    'Geburtsdatum',
    'Straße',
    'Bemerkungen',
  ],
  ...['mtknr', 'Matr.Nr.', 'Matr.-Nr.', 'MatrNr', 'matnr', 'gebdat', 'Geb.-Datum', 'Kennung', 'RZ-Kennung'],
  ...['Teilnehmer', 'Teilnehmer/in', 'Studierende', 'Studierende(r)', 'Prüfling', 'Nutzerkennung', 'Login'],
  ...['Benutzer', 'Benutzername'],
  ...['nom complet', 'nom de famille', 'nombre completo', 'nome completo', 'volledige naam', 'roepnaam'],
  ...['anmeldename', 'anzeigename', 'identifiant', 'login_id', 'netid', 'upn', 'eppn', 'account_name'],
  ...[
    'remote_addr',
    'x-forwarded-for',
    'ipv4',
    'ipv6',
    'social security',
    'matr_nr',
    'fecha_nac',
    'fname',
    'lname',
  ],
  ...['Student', 'étudiant', 'étudiante', 'alumno', 'student\u00a0name', 'name\u00a0', 'user\u202fid'],
  ...['Prénom', 'Nom', 'nom_etudiant', 'Numéro étudiant', 'Code postal', 'date de naissance', 'commentaire'],
  ...[
    'apellidos',
    'nombre_alumno',
    'Teléfono',
    'correo',
    'dirección',
    'Número de matrícula',
    'observaciones',
  ],
  ...['nome', 'cognome', 'matricola', 'indirizzo', 'data_di_nascita', 'osservazioni'],
  ...['Achternaam', 'studentnummer', 'leerlingnummer', 'geboortedatum', 'opmerkingen'],
  ...['imię', 'nazwisko', 'nr albumu', 'telefon', 'data_urodzenia', 'adres', 'uwagi'],
  ...['sobrenome', 'endereço', 'telefone', 'data_nascimento', 'matrícula', 'observações'],
]
/** In capitals nothing would part their words. */
const camel = ['lastIp', 'studentIP', 'userTel', 'userPhone', 'ipList', 'lastIpSeen', 'lastUserId']
const others = [
  ...[
    'Anzahl Teilnehmer',
    'max_teilnehmer',
    'Kurskennung',
    'Gebühr',
    'matter',
    'tipList',
    'isRipped',
    'hotelTips',
    'scriptId',
    'filename',
    'students',
    'format',
    'Prüfung',
    'gebucht',
  ],
  ...[
    'course_id',
    'course_title',
    'course_name',
    'category_name',
    'file_name',
    'host_name',
    'parent_id',
    'session_id',
  ],
  ...[
    'Number of Students',
    'student_count',
    'num_of_prev_attempts',
    'matriculation date',
    'fecha_matricula',
    'note',
  ],
  ...[
    'is_mobile',
    'mobile_app',
    'smartphone',
    'last_login',
    'comment_count',
    'user_agent',
    'user_type',
    'membership',
  ],
  ...[
    'tip',
    'description',
    'script',
    'hotel',
    'telemetry',
    'nominal',
    'phenomenon',
    'economy',
    'rueful',
    'code',
    'idle',
  ],
  ...[
    'score',
    'grade',
    'country',
    'region',
    'gender',
    'registration',
    'status',
    'query',
    'verb',
    'mode',
    'id',
  ],
]

test.each([
  ['personal names', personal, true, true],
  ['names of several words in one', camel, true, false],
  ['other names', others, false, true],
])('%s, as columns and as keys of JSON', async (_, names, expected, anyCase) => {
  expect(names.filter((name) => isPersonalName(name) !== expected)).toEqual([])
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  for (const spelled of [(name: string) => name, (name: string) => (anyCase ? name.toUpperCase() : name)]) {
    const keys = names.map((name) => quoteText(JSON.stringify({ a: 'e-mail: name', [spelled(name)]: 'x' })))
    const rows = await readRows<{ found: boolean }>(
      database.connection,
      `select regexp_matches(unnest([${keys.join(', ')}]), ${quoteText(PERSONAL_KEY)}) as found`,
    )
    expect(names.filter((_, index) => rows[index]?.found !== expected)).toEqual([])
  }
})

test('a name that is an object, one in each language, is none of a person', () => {
  expect(isPersonalName('name', { en: 'Mechanics' })).toBe(false)
  expect(isPersonalName('email', { home: 'x' })).toBe(true)
})

test.each([
  [
    'learner',
    'student_id Studierenden-ID Matrikel-Nr. mtknr login Benutzername Teilnehmer id_student Kennung userId',
  ],
  ['instructor', 'teacher_id Dozent-ID instructorId'],
  ['email', 'E-Mail email2 userEmail Mail correo E-Mail-Adresse'],
  ['birth', 'Geburtsdatum gebdat birthDate dob Geb.-Datum'],
  ['other', 'Name Telefon IP-Adresse Straße Nachname Kommentar Geburtsort student_name displayName'],
])('what is named like that is mostly: %s', (sort, names) => {
  expect(names.split(' ').filter((name) => sortOfName(name) !== sort)).toEqual([])
})
