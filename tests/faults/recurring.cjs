// The types of jobs.cjs, and some that recur. Each tells the journal of itself as a no-op job does.
const jobs = require('./jobs.cjs');

const noop = jobs.find(({ type }) => type === 'noop');

const recurring = (type, cron, timezone) => ({ ...noop, type, schedule: { cron, timezone } });

module.exports = [
  ...jobs,
  recurring('tick.minute', '* * * * *', 'UTC'),
  // A time that is skipped on one Sunday of the year, and comes twice on another.
  recurring('tick.half', '30 2 * * *', 'Europe/Berlin'),
  recurring('tick.three', '0 3 * * *', 'Europe/Berlin'),
];
