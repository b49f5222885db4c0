/** The smallest export that is a snapshot in parts: learners by their number. */

export const LEARNERS = `-- entity: learner
-- export: snapshot
-- personal: student(learner)
select student as learner_id, country from source
`

export const part = (...students: readonly string[]) =>
  `student,country\n${students.map((student) => `${student},DE\n`).join('')}`
