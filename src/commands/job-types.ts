import type { Settings } from '../config';
import { builtInJobs } from '../jobs';
import { loadJobsFile } from '../worker/jobs-file';
import { createRegistry, type Registry } from '../worker/registry';

/** The job types of this worker: the fixed set, and those of `--jobs`. */
export async function loadRegistry(settings: Settings): Promise<Registry> {
  const own = settings.jobsFile === undefined ? [] : await loadJobsFile(settings.jobsFile);
  return createRegistry([...builtInJobs(settings.jobs), ...own], settings.jobsFile);
}

/** Closes what job functions keep open. One that fails to close changes nothing any more. */
export async function closeRegistry(registry: Registry): Promise<void> {
  for (const type of registry.types()) {
    if (type.kind === 'function') await type.definition.close?.();
  }
}
