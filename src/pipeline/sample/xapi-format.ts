/** An event of the log as an xAPI 1.0.3 statement. */
import { cutOffLine } from './bad-rows.ts'
import { type EventFormat, withBadValue } from './event-format.ts'
import type { EventRow } from './event-row.ts'
import { xapiHomePage, xapiVocabulary } from './xapi.ts'

const { adl, video } = xapiVocabulary
const tinCan = 'http://id.tincanapi.com'
const streams = 'http://activitystrea.ms/schema/1.0'
const profiles = 'https://w3id.org/xapi'
const campus = `${xapiHomePage}/extensions`

const verbs: Readonly<Record<string, string>> = {
  registered: `${adl}/verbs/registered`,
  unregistered: `${tinCan}/verb/unregistered`,
  launched: `${adl}/verbs/launched`,
  viewed: `${tinCan}/verb/viewed`,
  played: `${video}/verbs/played`,
  paused: `${video}/verbs/paused`,
  seeked: `${video}/verbs/seeked`,
  attempted: `${adl}/verbs/attempted`,
  answered: `${adl}/verbs/answered`,
  submitted: `${streams}/submit`,
  scored: `${adl}/verbs/scored`,
  progressed: `${adl}/verbs/progressed`,
  completed: `${adl}/verbs/completed`,
  passed: `${adl}/verbs/passed`,
  failed: `${adl}/verbs/failed`,
  abandoned: `${profiles}/adl/verbs/abandoned`,
  commented: `${adl}/verbs/commented`,
  downloaded: `${tinCan}/verb/downloaded`,
  searched: `${profiles}/acrossx/verbs/searched`,
  earned: `${tinCan}/verb/earned`,
  logged_in: `${profiles}/adl/verbs/logged-in`,
  logged_out: `${profiles}/adl/verbs/logged-out`,
  other: `${tinCan}/verb/bookmarked`,
}

/** A text where a number should be is no duration, and no mapping would notice. */
export const xapi: EventFormat = {
  encode: statement,
  badKinds: ['malformed_json', 'missing_learner_id', 'bad_time', 'missing_time', 'score_out_of_range'],
  encodeBad: (row, kind, turn) =>
    kind === 'malformed_json' ? cutOffLine(statement(row), turn) : statement(withBadValue(row, kind, turn)),
}

// No field but attributes, which is JSON already, needs escaping.
function statement(row: EventRow): string {
  const verb = verbs[row.type] as string
  const display = verb.slice(verb.lastIndexOf('/') + 1)
  let line = `{"id":"${row.eventId}","actor":{"objectType":"Agent"`
  if (row.userName !== '') line += `,"name":"${row.userName}"`
  if (row.learnerId !== '') line += `,"account":{"homePage":"${xapiHomePage}","name":"${row.learnerId}"}`
  line += `},"verb":{"id":"${verb}","display":{"en-US":"${display}"}},"object":${objectOf(row)}`
  line += `${resultOf(row)},"context":${contextOf(row)}`
  if (row.occurredAt !== '') line += `,"timestamp":"${row.occurredAt}"`
  return `${line},"version":"1.0.3"}\n`
}

/** What is done nowhere in particular is done with the platform itself. */
function objectOf({ activityId, activityType }: EventRow): string {
  const [id, type] =
    activityId === ''
      ? [xapiHomePage, `${tinCan}/activitytype/lms`]
      : [`${xapiHomePage}/courses/${activityId}`, `${adl}/activities/${activityType}`]
  return `{"objectType":"Activity","id":"${id}","definition":{"type":"${type}"}}`
}

function resultOf({ durationSeconds, score, progress, quantity }: EventRow): string {
  const parts: string[] = []
  if (score !== '') parts.push(`"score":{"scaled":${score}}`)
  if (durationSeconds !== '') parts.push(`"duration":"PT${durationSeconds}S"`)
  const extensions: string[] = []
  if (progress !== '') extensions.push(`"${video}/extensions/progress":${progress}`)
  if (quantity !== '') extensions.push(`"${campus}/quantity":${quantity}`)
  if (extensions.length > 0) parts.push(`"extensions":{${extensions.join(',')}}`)
  return parts.length === 0 ? '' : `,"result":{${parts.join(',')}}`
}

function contextOf({ courseId, sessionId, attributes, ipAddress }: EventRow): string {
  const extensions: string[] = []
  if (sessionId !== '') extensions.push(`"${video}/extensions/session-id":"${sessionId}"`)
  if (attributes !== '') extensions.push(`"${campus}/attributes":${attributes}`)
  if (ipAddress !== '') extensions.push(`"${campus}/ip-address":"${ipAddress}"`)
  let context = '{'
  if (courseId !== '') {
    context += `"contextActivities":{"parent":[{"objectType":"Activity","id":"${xapiHomePage}/courses/${courseId}"`
    context += `,"definition":{"type":"${adl}/activities/course"}}]},`
  }
  if (extensions.length > 0) context += `"extensions":{${extensions.join(',')}},`
  return `${context}"platform":"Campus"}`
}
