import type { AdoptionPlan } from '../db/adopt-plan';

/** What `migrate` shows of another app's table before anything is changed. */
export function sayPlan(plan: AdoptionPlan): string {
  return [
    'background_jobs is there, and Rowlock did not create it. Adopting it would alter it in one statement:',
    ...plan.changes.map(({ column, from, to }) => `  change  ${column}: ${from} -> ${to}`),
    ...plan.adds.map(({ column, definition }) => `  add     ${column} ${definition}`),
    ...plan.keys.map((key) => `  add     ${key}`),
    ...(plan.storage === undefined ? [] : [`  store   ${plan.storage}`]),
    ...(plan.clauses.length === 0 ? ['  nothing, it is as it should be'] : []),
    `  keep    ${plan.keeps.join(', ')}, all keys and foreign keys, every row`,
    ...(plan.timeZone === undefined ? [] : [`Dates without a time zone are read as the server's: ${plan.timeZone}.`]),
    `Rows: ${sayRows(plan)}.`,
    ...(plan.rows.some(({ status }) => status === 'running')
      ? ['The running ones belong to the old script and are left to it.']
      : []),
    `No row is run: ${sayQueues(plan)} paused. Writes to the table wait while it is altered.`,
    ...plan.notices.map((notice) => `Note: ${notice}.`),
    ...(plan.blockers.length === 0
      ? []
      : ['In the way:', ...plan.blockers.map(({ subject, text }) => `  ${subject} ${text}`)]),
  ].join('\n');
}

/** What is left to do after an adoption. */
export function sayAdopted(plan: AdoptionPlan): string {
  const resume = plan.queues.map((queue) => `rowlock resume ${queue}`).join(', ');
  return `adopted background_jobs with every row kept (${sayRows(plan)}); ${sayQueues(plan)} paused: stop the old script, then cut over with ${resume}`;
}

function sayRows({ rows }: AdoptionPlan): string {
  if (rows.every(({ count }) => count === 0)) return 'none';
  return rows
    .map(({ status, count }) => `${count} ${status ?? (rows.length === 1 ? 'in all' : 'with no status')}`)
    .join(', ');
}

function sayQueues({ queues }: AdoptionPlan): string {
  return queues.length === 1 ? `the queue ${queues[0]} starts` : `the queues ${queues.join(', ')} start`;
}
