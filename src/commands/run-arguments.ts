import { resolve } from 'node:path';
import { flagOf, type Overrides, SETTINGS } from '../config';

/** Options as they are typed, for a run that is started elsewhere. */
export function toArguments(overrides: Overrides, failOnError: boolean | undefined): string[] {
  const given = Object.entries(overrides).flatMap(([option, value]) => {
    if (value === undefined) return [];
    const words = String(value);
    return [flagOf(option), isPath(option) ? resolve(words) : words];
  });
  return failOnError === true ? [...given, '--fail-on-error'] : given;
}

const isPath = (name: string): boolean => SETTINGS.some(({ option, isPath }) => option === name && isPath);
