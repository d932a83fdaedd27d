import type { Settings } from '../config';
import { EXIT, type ExitCode } from '../errors';
import { loadRegistry } from '../jobs/load-registry';
import { type Cancellation, cancelJobs } from '../queue/cancel';
import { sayName } from '../words';
import { parseIds } from './ids';
import { exactId, print, toJsonLine, warn } from './print';
import { withQueue } from './session';

/** `rowlock cancel ID… [--json]`: exit 1 if one of the ids could not be cancelled. */
export async function cancelCommand(
  settings: Settings,
  words: string[],
  { json = false }: { json?: boolean },
): Promise<ExitCode> {
  const ids = parseIds(words);
  const known = await loadRegistry(settings);
  return withQueue(settings, async (pool) => {
    const all = await cancelJobs(pool, ids, known.freesKey);
    if (json) print(toJsonLine(all.map(toPlain)));
    else for (const cancellation of all) tell(cancellation);
    return all.every(({ how }) => how === 'cancelled' || how === 'requested') ? EXIT.ok : EXIT.failed;
  });
}

const toPlain = (cancellation: Cancellation) => {
  const { id, how } = cancellation;
  if (how === 'unknown') return { id: exactId(id), outcome: how };
  return { id: exactId(id), job_type: cancellation.job.type, outcome: how, status_before: cancellation.job.status };
};

function tell(cancellation: Cancellation): void {
  const { id, how } = cancellation;
  if (how === 'unknown') warn(`there is no job ${id}`);
  else if (how === 'cancelled') print(`job ${id} (${sayName(cancellation.job.type)}) is cancelled`);
  else if (how === 'requested')
    print(`job ${id} (${sayName(cancellation.job.type)}) is running; its run aborts it at the next heartbeat`);
  else if (cancellation.job.status === 'running')
    warn(`job ${id} is held by no run but by an older script, which cannot be told`);
  else warn(`job ${id} has ${cancellation.job.status === 'completed' ? 'completed' : 'failed'} already`);
}
