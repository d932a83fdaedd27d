import { resolve } from 'node:path';
import type { Overrides } from '../config';

/** Options as they are typed, for a run that is started elsewhere. */
export function toArguments(overrides: Overrides, failOnError: boolean | undefined): string[] {
  const given = Object.entries(overrides).flatMap(([option, value]) => {
    if (value === undefined) return [];
    const words = String(value);
    return [
      `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      PATHS.includes(option) ? resolve(words) : words,
    ];
  });
  return failOnError === true ? [...given, '--fail-on-error'] : given;
}

const PATHS = ['jobs', 'metricsFile'];
