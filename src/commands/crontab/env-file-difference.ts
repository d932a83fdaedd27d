import { isAbsolute } from 'node:path';
import { type Overrides, parseEnvFile, readVariable, SETTINGS } from '../../config';

/** Variables whose settings a program would not have, or would take for others, if it were started elsewhere with this env file alone. */
export interface Difference {
  /** Set in this environment, and not to what the file says. */
  differs: string[];
  /** Paths in the file that are relative. */
  relativePaths: string[];
}

/**
 * What cron would change about the settings: its environment is bare, its working directory another.
 *
 * @param overrides options that stand above both, and are left out
 */
export function findDifference(envFile: string, overrides: Overrides): Difference {
  const inFile = parseEnvFile(envFile);
  const found: Difference = { differs: [], relativePaths: [] };
  for (const { option, variable, isPath } of SETTINGS) {
    if (overrides[option] !== undefined) continue;
    const value = inFile[variable] || undefined;
    if (value !== undefined && isPath && !isAbsolute(value)) found.relativePaths.push(variable);
    if (readVariable(variable) !== value) found.differs.push(variable);
  }
  return found;
}
