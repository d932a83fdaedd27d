import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** What young objects may take, of 32 to 64 MB that Node takes by itself for a million jobs that do nothing. */
const YOUNG_BYTES = 4_000_000;

let isYoungKept = false;

/**
 * The heap is collected once it has grown by half, and not only at four times its size: a run of a million jobs that do
 * nothing took 160 MB at most, so it takes 123, and 2 % longer.
 * Node 20 to 26 know the flag; one that does not would say so on stderr.
 */
export const keepHeapSmall = (): void => setFlagsFromString('--heap-growing-percent=50');

/** Called now and then: once the room for young objects is large enough, it grows no more. */
export function keepYoungSmall(): void {
  if (isYoungKept || youngBytes() < YOUNG_BYTES) return;
  isYoungKept = true;
  setFlagsFromString('--semi-space-growth-factor=1');
}

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
