import type { DeadLetters } from '../src/events';
import type { ClaimedJob } from '../src/queue/job';
import { Attempt } from '../src/worker/attempt';
import { Report } from '../src/worker/report';
import { outcomeOf } from './support/queue';

const attemptOf = (id: number) => new Attempt({ id, type: 'mail', attempts: 1 } as ClaimedJob, 1, 1);

// The line that cron mails names the first job behind "see rowlock show": the error beside it is to be that job's.
test('the error of a type’s dead letters is that of the job which is named first', () => {
  let groups: DeadLetters[] = [];
  const report = new Report((name, facts) => {
    if (name === 'run.dead_letters') groups = (facts as { groups: DeadLetters[] }).groups;
  });
  for (const [id, error] of [
    [7, 'no such customer'],
    [8, 'no such street'],
  ] as const) {
    const settlement = outcomeOf({ id, attempts: 1 }, { status: 'failed', count: 'failed', error });
    const outcome = { kind: 'failed', error } as const;
    report.settled(attemptOf(id), { outcome, ms: 1 }, { how: 'written', settlement });
  }
  report.tellDeadLetters();
  expect(groups).toEqual([{ job_type: 'mail', job_ids: [7, 8], error: 'no such customer' }]);
});
