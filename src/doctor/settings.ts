import { listUnknownVariables, SETTINGS } from '../config';
import { findNearest } from '../nearest';
import { type Check, ok, warning } from './finding';

/** A misspelt variable changes nothing, and nobody is told: the default goes on. */
export const settings: Check = {
  name: 'settings',
  async run() {
    const unknown = listUnknownVariables();
    if (unknown.length === 0) return ok('each variable is known');
    const known = SETTINGS.map(({ variable }) => variable);
    const meant = unknown.flatMap((variable) => findNearest(variable, known) ?? []);
    return warning(
      `${unknown.join(', ')}: no such setting`,
      meant.length === 0 ? '.env.example lists all of them' : `did you mean ${meant.join(', ')}?`,
    );
  },
};
