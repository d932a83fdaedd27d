import type { Settings } from '../config';
import { messageOf } from '../errors';
import type { Emit } from '../events';
import { loadJobsFile } from '../worker/jobs-file';
import { createRegistry, type JobType, type Registry } from '../worker/registry';
import { builtInJobs } from './index';

/** The job types of this worker: the fixed set, and those of `--jobs`. */
export async function loadRegistry(settings: Settings): Promise<Registry> {
  const own = settings.jobsFile === undefined ? [] : await loadJobsFile(settings.jobsFile);
  return createRegistry([...builtInJobs(settings.jobs), ...own], settings.jobsFile);
}

/** What has not closed by then is left as it is: the process ends. */
const CLOSE_AT_MOST_MS = 2_000;

/** Closes what job functions keep open. One that fails to close changes nothing any more, and is told of. */
export async function closeRegistry(registry: Registry, emit: Emit): Promise<void> {
  await Promise.all(registry.types().map((type) => closeType(type, emit)));
}

async function closeType(type: JobType, emit: Emit): Promise<void> {
  if (type.kind !== 'function' || type.definition.close === undefined) return;
  const late = new AbortController();
  try {
    await Promise.race([type.definition.close(), failAfter(CLOSE_AT_MOST_MS, late.signal)]);
  } catch (error) {
    emit('worker.not_closed', { job_type: type.type, why: messageOf(error) });
  } finally {
    late.abort();
  }
}

function failAfter(ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
