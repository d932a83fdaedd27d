import { scene as blackHole } from './black-hole.mjs';
import { scene as cutCommits } from './cut-commits.mjs';
import { scene as daylightSaving } from './daylight-saving.mjs';
import { scene as killWorkers } from './kill-workers.mjs';
import { scene as scheduleClock } from './schedule-clock.mjs';
import { scene as serverClock } from './server-clock.mjs';
import { scene as slowNetwork } from './slow-network.mjs';
import { scene as workerClocks } from './worker-clocks.mjs';

/** In the order in which they are played. @type {readonly import('./scene.mjs').Scene[]} */
export const SCENES = [
  killWorkers,
  cutCommits,
  blackHole,
  slowNetwork,
  workerClocks,
  serverClock,
  daylightSaving,
  scheduleClock,
];
