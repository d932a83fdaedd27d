import { scene as cutCommits } from './cut-commits.mjs';
import { scene as hostileWords } from './hostile-words.mjs';
import { scene as killWorkers } from './kill-workers.mjs';
import { scene as swapCertificates } from './swap-certificates.mjs';

/** In the order in which they are played. @type {readonly import('./scene.mjs').Scene[]} */
export const SCENES = [killWorkers, cutCommits, hostileWords, swapCertificates];
