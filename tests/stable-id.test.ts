import { stableId } from '../src/jobs/stable-id';

const JOB = { id: 7, type: 'email.send', createdAt: new Date('2026-11-24T10:00:00.123Z') };

test('the id of a job is the one that releases before had for it: a job that was tried then keeps it', () => {
  expect(stableId(JOB)).toBe('1832dbbb410b3aa5b95b8ec987c8e17a');
});

test.each([
  ['another job', { id: 8 }],
  ['one of another database', { createdAt: new Date('2026-11-24T10:00:00.124Z') }],
  ['one of another type', { type: 'webhook.deliver' }],
])('%s has another', (_, other) => {
  expect(stableId({ ...JOB, ...other })).not.toBe(stableId(JOB));
});
