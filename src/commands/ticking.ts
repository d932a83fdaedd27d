import { messageOf, UsageError } from '../errors';
import { readTicks } from '../worker/ticks';

/** How often the clock is looked at. */
const LOOK_EVERY_MS = 5_000;

/** Less than this is no jump: clocks are disciplined all the time. */
const JUMP_MS = 1_000;

/** A timer may fire a little before its time. */
const EARLY_MS = 100;

/**
 * Calls at each tick of a cron text, until the returned function is called. node-cron beats each minute, or each second
 * where the text has seconds, in UTC, and croner says whether that is a tick. Left to itself node-cron takes the hour that comes twice
 * in autumn for its second half, and a host in such a zone had no run for an hour.
 *
 * @throws UsageError
 */
export function startTicking(cron: string, timezone: string | undefined, tick: () => void): () => void {
  const newest = readNewest(cron, timezone);
  let last = newest();
  const look = () => {
    const due = newest();
    if (due !== undefined && due !== last) tick();
    last = due;
  };
  let stop = beat(cron, look);
  // node-cron waits for the moment that it has worked out. Once the clock is set back that lies ahead, by an hour maybe.
  let before = Date.now();
  const watch = setInterval(() => {
    const now = Date.now();
    if (now < before - JUMP_MS) {
      stop();
      stop = beat(cron, look);
    }
    before = now;
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(watch);
    stop();
  };
}

/** Six fields: the first one is that of the seconds. */
const hasSeconds = (cron: string): boolean => cron.trim().split(/\s+/).length === 6;

/** The newest tick at this moment. */
function readNewest(cron: string, timezone: string | undefined): () => number | undefined {
  try {
    const ticks = readTicks(cron, timezone, { seconds: hasSeconds(cron) });
    return () => ticks.newest(new Date(Date.now() + EARLY_MS))?.getTime();
  } catch (error) {
    throw new UsageError(`--cron "${cron.slice(0, 60)}": ${messageOf(error)}; give one such as "* * * * *"`, {
      cause: error,
    });
  }
}

function beat(cron: string, look: () => void): () => void {
  const nodeCron = require('node-cron') as typeof import('node-cron');
  // Its warnings of beats that came late go nowhere: the next one does what the late one would have done.
  const options = { timezone: 'UTC', suppressMissedWarning: true };
  const task = nodeCron.schedule(hasSeconds(cron) ? '* * * * * *' : '* * * * *', look, options);
  return () => void task.destroy();
}
