import { scene as blackHole } from './black-hole.mjs';
import { scene as contestedRows } from './contested-rows.mjs';
import { scene as cutCommits } from './cut-commits.mjs';
import { scene as daylightSaving } from './daylight-saving.mjs';
import { scene as freezeWorkers } from './freeze-workers.mjs';
import { scene as fullDisk } from './full-disk.mjs';
import { scene as hellFunctions } from './hell-functions.mjs';
import { scene as hellRows } from './hell-rows.mjs';
import { scene as hostileWords } from './hostile-words.mjs';
import { scene as killSuspects } from './kill-suspects.mjs';
import { scene as killWorkers } from './kill-workers.mjs';
import { scene as meddledRows } from './meddled-rows.mjs';
import { scene as poisonRows } from './poison-rows.mjs';
import { scene as refusingServer } from './refusing-server.mjs';
import { scene as restartServer } from './restart-server.mjs';
import { scene as scheduleClock } from './schedule-clock.mjs';
import { scene as serverClock } from './server-clock.mjs';
import { scene as slowNetwork } from './slow-network.mjs';
import { scene as smallPackets } from './small-packets.mjs';
import { scene as stopWorkers } from './stop-workers.mjs';
import { scene as swapCertificates } from './swap-certificates.mjs';
import { scene as workerClocks } from './worker-clocks.mjs';

/** In the order in which they are played. @type {readonly import('./scene.mjs').Scene[]} */
export const SCENES = [
  killWorkers,
  killSuspects,
  stopWorkers,
  freezeWorkers,
  restartServer,
  refusingServer,
  contestedRows,
  smallPackets,
  fullDisk,
  cutCommits,
  blackHole,
  daylightSaving,
  scheduleClock,
  serverClock,
  slowNetwork,
  swapCertificates,
  workerClocks,
  hellFunctions,
  poisonRows,
  hellRows,
  meddledRows,
  hostileWords,
];
