/** Names that people give to columns and keys with personal values, in eight languages. */

/** Between words: `user_name`, `User Name`, `userName`, `username`; the blank may be one that breaks no line. */
const S = `[ \u00a0\u202f_./-]*`
const NUMBER = 'id|no|nr|num|number|code|nummer|numer|numero|número|kennung'

const PERSON = [
  'student|pupil|learner|user|person|member|candidate|employee|participant|trainee|teacher|instructor',
  'studenten|studentin|studierenden?|sch(?:ü|ue)ler|lerner|lernenden?|teilnehmer|teilnehmenden?|benutzer|nutzer|lehrer|dozent|dozenten',
  '[eé]l[eè]ve|[eé]tudiant|apprenant|utilisateur|enseignant',
  'alumn[oa]|estudiante|usuario|profesor|studente|utente|allievo|docente',
  'leerling|cursist|deelnemer|gebruiker|docent',
  'studenta|ucze[nń]|ucznia|u[zż]ytkownika?|nauczyciel',
  'alun[oa]|estudante|usu[aá]rio|utilizador|professor',
].join('|')

/** Who learns: alone it is their name or number. */
const LEARNER = [
  'student|pupil|learner|studentin|sch(?:ü|ue)ler(?:in)?|lernende[rn]?|[eé]l[eè]ve|[eé]tudiant|apprenant|alumn[oa]|estudiante?',
  'studente|studentessa|allievo|allieva|leerling|cursist|deelnemer|studentka|ucze[nń]|uczennica|alun[oa]',
].join('|')

const NAME = 'name|nom|nombre|nome|naam|imi[eę]'
const OF = '(?:of|the|der|des|de|du|del|della|dello|di|do|da|d|van|la|el|il|l)'

/** Personal wherever they stand in a name. */
const ANYWHERE = [
  `e${S}mail|courriel|correo|t[eé]l[eé]phon|t[eé]l[eé]f[oó]|handynummer|mobile?${S}(?:phone|no|nr|num)|phone${S}(?:no|nr|num)|(?:cell|home|work)${S}phone`,
  'birth|geburt|naissance|nacimiento|nascita|geboorte|nascimento|urodz',
  `(?:first|last|given|family|full|middle|user|nick|sur|fore|maiden|preferred|legal|real|display|screen|login|account)${S}name`,
  'nachname|vorname|familienname|zuname|rufname|pr[eé]nom|apellido|cognome|sobrenome|apelido|voornaam|achternaam|roepnaam|nazwisk|anmeldename|anzeigename',
  `nom${S}(?:complet|de${S}famille)|nombre${S}completo|nome${S}(?:completo|da${S}fam[ií]lia)|volledige${S}naam`,
  `(?:${PERSON})(?:n|en|s|'s)?${S}(?:name|naam)`,
  `(?:author|tutor|parent|guardian|contact|customer|owner|sender|recipient|supervisor|advisor|mentor)${S}name`,
  `addres|adres|anschrift|direcci[oó]n|indirizzo|endere[cç]o|domicil|stra(?:ss|ß)e|zip${S}code|post${S}code|postal|postleitzahl|wohnort`,
  `matrikel|matricule|matricola|matriculation${S}(?:${NUMBER})|passport|passeport|pasaporte|reisepass|paspoort|national${S}id|codice${S}fiscale|sozialversicherung|social${S}security`,
]

/** Personal as words of their own. */
const WORDS = [
  'mails?|phones?|tel|handy|fax|ip|dob|ssn|iban|dni|nif|pesel|bsn|cpf|street|rue|calle|ulica|straat|plz|imi[eę]|surnames?|username',
  `(?:${PERSON})${S}(?:${NUMBER}|nom|nombre|nome)`,
  `(?:client|remote|source|src|host)${S}ip|ipv?[46]|remote${S}addr|x${S}forwarded${S}for`,
  `net${S}id|upn|eppn|login${S}(?:id|nr|no|code)|fname|lname|fecha${S}nac`,
  `(?:${NUMBER}|num[eé]ro)${S}(?:de|del|di|do|da|d|van)?['’]?${S}(?:l['’]?)?${S}(?:${PERSON}|matr[ií]cula|albumu|indeksu)`,
  `(?:${NAME})${S}(?:${OF}['’]?${S}){0,2}(?:${PERSON})`,
  // As German exports shorten them: MtkNr, Matr.-Nr., gebdat.
  `(?:mtk|matr?)${S}(?:nr|nummer)|geb${S}(?:dat|datum|ort)`,
]

/** Personal when they are the whole name, or all of it but a person: free texts hold anything. */
const ALONE = [
  'name|names|namen|nom|noms|nombre|nombres|nome|nomi|naam',
  'login|identifiant|user|mobile|mobil|m[oó]vil|celular|cellulare|cell|telem[oó]vel|gsm|zip|matr[ií]cula|matriculation',
  `(?:${LEARNER})e?|studierende(?:r|n|${S}\\(r\\))?|(?:teilnehmer|benutzer|nutzer)(?:${S}\\(?in(?:nen)?\\)?)?|teilnehmende[rn]?|pr(?:ü|ue)fling`,
  `(?:(?:rz|hrz|uni|login|anmelde)${S})?kennung`,
  `(?:(?:${PERSON})s?${S})?(?:${[
    'comments?|remarks?|notes|comment text|free text|kommentare?|bemerkung|bemerkungen|anmerkung|anmerkungen|freitext',
    'commentaires?|remarques?|comentarios?|comentários?|observaciones|observa[cç][oõ]es|commento|commenti|osservazioni',
    'opmerking|opmerkingen|uwagi|komentarz|komentarze',
  ]
    .join('|')
    .replaceAll(' ', S)})`,
]

const EDGE = '[^"A-Za-z]'

/** Where a word begins in WORDS. */
const FIRST = /(^|\||\(\?:)([a-z])/g

/** The same words inside camelCase, where only a capital parts them: lastIp, studentIP; ipList; lastIpSeen. */
const LAST_WORDS = WORDS.join('|').replace(
  FIRST,
  (_, before, letter) => `${before}(?-i:${letter.toUpperCase()})`,
)
const FIRST_WORDS = WORDS.join('|').replace(
  FIRST,
  (_, before, letter) => `${before}[${letter}${letter.toUpperCase()}]`,
)
const INNER_WORDS = WORDS.join('|').replace(FIRST, (_, before, letter) => `${before}${letter.toUpperCase()}`)

/** Of a key whose value is a text: a name in several languages, as of an xAPI activity, is none of a person. */
const isText = `${S}"\\s*:\\s*"`
const isKey = `${S}"\\s*:`

const KEYS = [
  `"[^"]*(?:${ANYWHERE.join('|')})[^"]*${isKey}`,
  `"(?:[^"]*${EDGE})?(?:${WORDS.join('|')})(?:${EDGE}[^"]*)?${isKey}`,
  `"${EDGE}*(?:${ALONE.slice(1).join('|')})${EDGE}*${isKey}`,
  `"${EDGE}*(?:${ALONE[0]})${EDGE}*${isText}`,
]
const CAMEL_CASE_KEYS = [
  `"[^"]*(?-i:[a-z])(?:${LAST_WORDS})(?:${EDGE}[^"]*)?${isKey}`,
  `"(?:[^"]*${EDGE})?(?-i:(?:${FIRST_WORDS})[A-Z])[^"]*${isKey}`,
  `"[^"]*(?-i:[a-z](?:${INNER_WORDS})[A-Z])[^"]*${isKey}`,
]

/** For DuckDB: matches a key of JSON text that is named like a personal value, `"Student Name":`. */
export const PERSONAL_KEY = `(?i)${[...KEYS, ...CAMEL_CASE_KEYS].join('|')}`

/** The same of a name that is spaced, tried as `"NAME":"`: Node 22 cannot turn case off inside a pattern. */
const PATTERN = new RegExp(KEYS.join('|'), 'iu')

/** userEmail is two words: `user Email`. */
export function spaced(name: string): string {
  return name.normalize('NFC').replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
}

/** Whether a column, or a key of JSON with such a value, is named like a personal value. */
export function isPersonalName(name: string, value: unknown = ''): boolean {
  const end = typeof value === 'object' ? '":' : '":"'
  return [name, spaced(name)].some((text) => PATTERN.test(`"${text.replaceAll('"', ' ')}${end}`))
}

/** What such a value mostly is: what a mapping may make of it. */
export type PersonalSort = 'email' | 'learner' | 'instructor' | 'birth' | 'other'

const IDENTIFIER = `(?:${NUMBER}|num[eé]ro)`
const TEACHER = 'teacher|instructor|lehrer|dozent|dozenten|enseignant|profesor|professor|docente?|nauczyciel'

const SORTS: readonly (readonly [PersonalSort, RegExp])[] = (
  [
    ['email', `e${S}mail|courriel|correo|(?:^|${EDGE})e?mails?(?:${EDGE}|$)`],
    [
      'other',
      '(?:birth|geburts)[ _.-]*(?:place|name|ort)|passport|passeport|pasaporte|reisepass|paspoort|display',
    ],
    [
      'birth',
      `birth|geburts?${S}(?:dat|tag|jahr)|geb${S}dat|naissance|nacimiento|nascita|geboorte|nascimento|urodz|^dob$`,
    ],
    [
      'instructor',
      `(?:${TEACHER})(?:s|in)?${S}${IDENTIFIER}(?:${EDGE}|$)|${IDENTIFIER}${S}(?:${OF}${S})?(?:${TEACHER})`,
    ],
    [
      'learner',
      [
        `matri[ck]|matr[ií]c|(?:mtk|matr?)${S}(?:nr|nummer)|albumu|indeksu|kennung|log${S}in|(?:user|benutzer|nutzer|account|anmelde)${S}name`,
        `(?:^|${EDGE})(?:net${S}id|upn|eppn|identifiant)(?:${EDGE}|$)`,
        `(?:${PERSON})s?${S}${IDENTIFIER}(?:${EDGE}|$)|(?:^|${EDGE})${IDENTIFIER}${S}(?:${OF}['’]?${S}){0,2}(?:${PERSON})`,
        `^${EDGE}*(?:user|${ALONE[2]})${EDGE}*$`,
      ].join('|'),
    ],
  ] as const
).map(([sort, pattern]) => [sort, new RegExp(pattern, 'iu')])

/** Of a name that isPersonalName() finds. */
export function sortOfName(name: string): PersonalSort {
  const found = SORTS.find(([, pattern]) => pattern.test(name) || pattern.test(spaced(name)))
  return found?.[0] ?? 'other'
}
