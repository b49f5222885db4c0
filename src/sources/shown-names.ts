/** Column names in messages. */

import { EMAIL_SHAPE } from '../email-shape.ts'
import { isPersonalName, spaced } from './personal-words.ts'

/** What no header holds: addresses, dates, times, long numbers, ids, whole sentences, control characters. */
const VALUE = new RegExp(
  `${EMAIL_SHAPE}|^\\s*[+(]?\\d[\\d ()/.:,-]{4,}$|\\d{4}-\\d\\d-\\d\\d|\\d{1,2}\\.\\d{1,2}\\.\\d{2,4}|[0-9a-f]{8}-[0-9a-f]{4}-|^.{61}|\\p{Cc}`,
  'iu',
)
/** Begins as names do: with a letter, be it in brackets. Or a year. */
const NAME = /^[^\p{L}\d]{0,3}\p{L}|^(19|20)\d\d$/u
/** As people are named: Ada Lovelace, Ada M. Lovelace. */
const PERSON = /\p{Lu}[\p{L}\p{M}'’.-]*[\s,]+\p{Lu}/u
/** c7, q_12, x. */
const NUMBERED = /^(\p{L}{1,3}_?\d+|\p{L}{1,2})$/u

/** Words of headers, in several languages, that are no words of records. */
const WORDS = new Set(
  [
    'id ids key keys no nr num number code codes ref sid cid uid uuid guid iri url uri link href path slug index seq version hash',
    'name title label caption description desc summary text content body subject topic type kind category group class level rank tag tags',
    'date time datetime timestamp day week month year term semester period start started starts end ended ends begin from to until since when',
    'at on created updated modified changed deleted published stored received submitted completed enrolled signed registered due deadline last first next',
    'who what where which by of per is has total sum count avg mean min max amount quantity size length duration hours minutes seconds weeks days',
    'status state stage phase mode flag active passed failed success completion progress result results outcome score scores grade grades mark marks points credits credit percent percentage rate ratio average attempt attempts',
    'course courses module modules unit lesson section program programme department faculty school institute institution campus university organization organisation org tenant account',
    'student students learner learners user users member members teacher instructor tutor author owner creator role roles gender sex age country region city language lang locale nationality disability education',
    'event events action activity activities verb actor object context attributes extensions definition payload data meta metadata details info source target session request response platform device browser client app registration enrollment enrolment membership assignment quiz exam test question answer item resource file page site video forum post message view views click clicks parent child children value values price currency cost fee plan room place location comment comments note notes remark remarks query timezone zone band',
    'kurs kurse titel bezeichnung beschreibung von bis datum zeit uhrzeit beginn anfang ende start dauer jahr monat woche tag tage note noten punkte gebühr preis fach fächer studiengang studienfach abschluss prüfung versuch versuche ergebnis art typ stufe gruppe anzahl raum ort land sprache geschlecht alter fakultät institut lehrstuhl veranstaltung modul bereich stand',
    'cours titre libellé description début fin durée année mois semaine jour statut état type groupe niveau matière filière moyenne résultat date heure langue pays ville sexe',
    'curso título titulo descripción inicio fin final fecha hora duración año mes semana día estado tipo grupo nivel nota calificación resultado asignatura idioma país ciudad',
    'corso titolo descrizione inizio fine data ora durata anno mese stato tipo gruppo livello voto esito lingua paese città',
    'cursus titel omschrijving begin einde datum tijd duur jaar maand status soort groep niveau cijfer resultaat vak taal land',
    'kurs tytuł opis początek koniec data czas rok miesiąc status typ grupa poziom ocena wynik przedmiot język kraj',
    'disciplina descrição início fim duração ano mês situação turma nível avaliação idioma cidade',
  ].flatMap((line) => line.split(' ')),
)
/** In words made of several: Kurstitel, Anmeldedatum, coursecode. */
const STEMS =
  /kurs|titel|datum|nummer|modul|semester|prüfung|pruefung|abschluss|punkte|status|dauer|course|title|module|student|learner|score|grade|number|timestamp/

/** Names for a message. Where they look like a line of values there may be no header at all: then nothing is quoted. */
export function shownNames(names: readonly string[]): string {
  if (names.length === 0) return '(none could be read)'
  if (lookLikeNames(names)) return names.slice(0, 20).join(', ')
  return 'not shown, some look like values. If there is no header line, add to the mapping: -- header: none'
}

/** Whether these are names of columns, or keys and paths of JSON, and not a line of values or people as keys. */
export function lookLikeNames(names: readonly string[]): boolean {
  const odd = names.filter((name) => !NAME.test(name)).length
  if (odd * 3 >= Math.max(1, names.length) || names.some((name) => VALUE.test(name))) return false
  const parts = [
    ...new Set(names.flatMap((name) => (name.startsWith('$.') ? name.slice(2).split('.') : [name]))),
  ]
  const unknown = parts.filter((part) => !isKnown(part))
  // Of JSON a person's one key may lead to one word.
  const most = names.some((name) => name.startsWith('$.')) ? (parts.length - 1) / 2 : parts.length / 2
  return unknown.length <= most && !unknown.some((part) => PERSON.test(part))
}

/** Whether it holds a word of headers, or is too short for a name. */
export function isKnown(name: string): boolean {
  if (NUMBERED.test(name) || isPersonalName(name)) return true
  const words =
    spaced(name)
      .toLowerCase()
      .match(/\p{L}+/gu) ?? []
  return words.some((word) => WORDS.has(word) || STEMS.test(word))
}
