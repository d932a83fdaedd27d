import { join } from 'node:path';
import { PROJECT } from '../../../scripts/project.mjs';

const FOLDER = join(PROJECT, 'tests', 'faults');

/** Job types that recur, for `startFleet`. */
export const RECURRING = join(FOLDER, 'recurring.cjs');

const NO_LONGER = join(FOLDER, 'no-longer-recurring.cjs');

/**
 * Has the rest done by runs that enqueue no tick: one that starts just before all ends takes the newest, and leaves its job.
 *
 * @param {import('./stage.mjs').Stage} stage
 * @param {readonly import('./fleet.mjs').Fleet[]} fleets those whose types recur
 */
export async function comeToRestWithoutTicks(stage, fleets) {
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  stage.startFleet({ jobs: NO_LONGER });
  await stage.comeToRest();
}
