import { scene as contestedRows } from './contested-rows.mjs';
import { scene as cutCommits } from './cut-commits.mjs';
import { scene as fullDisk } from './full-disk.mjs';
import { scene as killWorkers } from './kill-workers.mjs';
import { scene as refusingServer } from './refusing-server.mjs';
import { scene as restartServer } from './restart-server.mjs';
import { scene as smallPackets } from './small-packets.mjs';

/** In the order in which they are played. @type {readonly import('./scene.mjs').Scene[]} */
export const SCENES = [killWorkers, cutCommits, restartServer, refusingServer, contestedRows, smallPackets, fullDisk];
