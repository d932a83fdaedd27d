import { messageOf, UsageError } from '../errors';

/** How often the clock is looked at. */
const LOOK_EVERY_MS = 5_000;

/** Less than this is no jump: clocks are disciplined all the time. */
const JUMP_MS = 1_000;

/**
 * Calls at each tick of a cron text, until the returned function is called.
 *
 * @throws UsageError
 */
export function startTicking(cron: string, timezone: string | undefined, tick: () => void): () => void {
  let stop = schedule(cron, timezone, tick);
  // node-cron waits for the moment that it has worked out. Once the clock is set back that lies ahead, by an hour maybe.
  let before = Date.now();
  const watch = setInterval(() => {
    const now = Date.now();
    if (now < before - JUMP_MS) {
      stop();
      stop = schedule(cron, timezone, tick);
    }
    before = now;
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(watch);
    stop();
  };
}

function schedule(cron: string, timezone: string | undefined, tick: () => void): () => void {
  const nodeCron = require('node-cron') as typeof import('node-cron');
  try {
    // Its warnings of ticks that came late go nowhere: the next tick does what the late one would have done.
    const options = { ...(timezone !== undefined && { timezone }), suppressMissedWarning: true };
    const tasks = toNodeCron(cron).map((text) => nodeCron.schedule(text, tick, options));
    return () => tasks.forEach((task) => void task.destroy());
  } catch (error) {
    throw new UsageError(`--cron "${cron.slice(0, 60)}": ${messageOf(error)}; give one such as "* * * * *"`, {
      cause: error,
    });
  }
}

/**
 * A cron text as node-cron has to be told it. With both days restricted a crontab wants either of them and
 * node-cron both, so it is told of each alone; a tick on which both fall comes twice at once, and the
 * second finds a run at work.
 */
export function toNodeCron(text: string): string[] {
  const fields = text.trim().split(/\s+/);
  const [day = '', month = '', weekday = ''] = fields.slice(-3);
  if (fields.length < 5 || [day, weekday].some((field) => /^[*?]/.test(field))) return [fields.join(' ')];
  const time = fields.slice(0, -3);
  return [[...time, day, month, '*'].join(' '), [...time, '*', month, weekday].join(' ')];
}
