import { ConfigError } from '../errors';
import { withoutPadding } from '../queue/names';
import type { JobDefinition } from './define';
import { type JobType, readDefinition } from './job-type';

export type { JobType } from './job-type';

/** The job types that this worker knows. */
export interface Registry {
  /** By the text of job_type; the trailing spaces that the database does not see do not count. */
  get(type: string): JobType | undefined;
  /** Whether jobs of this type give up their unique key when they end; false for a type that is not known. */
  freesKey(type: string): boolean;
  /** All of them, by name. */
  types(): readonly JobType[];
}

/**
 * Checks the definitions and fills in their defaults.
 *
 * @param file where they come from, for the message
 * @throws ConfigError that names every fault of every definition
 */
export function createRegistry(definitions: readonly JobDefinition[], file?: string): Registry {
  const byType = new Map<string, JobType>();
  const faults: string[] = [];
  for (const [index, definition] of definitions.entries()) {
    const name = nameOf(definition, index);
    const jobType = readDefinition(definition, (fault) => faults.push(`${name} ${fault}`));
    if (jobType === undefined) continue;
    if (byType.has(jobType.type)) faults.push(`${name} is defined twice; rename one`);
    else byType.set(jobType.type, jobType);
  }
  if (faults.length > 0) throw new ConfigError(`${file === undefined ? '' : `${file}: `}${faults.join('; ')}`);
  const types = [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
  const get = (type: string) => byType.get(type) ?? byType.get(withoutPadding(type));
  return { get, freesKey: (type) => get(type)?.unique === 'active', types: () => types };
}

function nameOf(definition: unknown, index: number): string {
  const type =
    typeof definition === 'object' && definition !== null && 'type' in definition ? definition.type : undefined;
  return typeof type === 'string' && type !== '' ? `job type "${type.slice(0, 80)}"` : `definition ${index + 1}`;
}
