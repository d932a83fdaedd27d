import { requireDatabase, type Settings } from '../config';
import { openPool } from '../db/pool';
import { loadRegistry } from '../jobs/load-registry';
import { serveSuspects } from '../worker/suspect-child';

/** The process that a run starts for a suspect. Not for people: it ends when it has no parent to talk to. */
export async function childCommand(settings: Settings): Promise<never> {
  const database = requireDatabase(settings);
  const { grace, lease } = settings.run;
  return serveSuspects({
    registry: await loadRegistry(settings),
    openPool: () => openPool(database, { connections: 2, sessionTimeoutMs: lease }),
    graceMs: grace,
  });
}

/** The arguments that give a child the settings of its run; the rest is in the environment that it inherits. */
export function childArguments({ jobsFile, run }: Settings): string[] {
  const jobs = jobsFile === undefined ? [] : ['--jobs', jobsFile];
  return ['child', ...jobs, '--grace', `${run.grace}ms`, '--lease', `${run.lease}ms`];
}
