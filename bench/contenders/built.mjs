import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PROJECT } from '../../scripts/project.mjs';

// What was built from src, with the types of src: they are there also where nothing has been built yet.
const require = createRequire(import.meta.url);

/** @param {string} file */
const load = (file) => require(join(PROJECT, 'dist', file));

/** The library, as an app has it. */
export const { createQueue } = /** @type {typeof import('../../src/index.ts')} */ (load('index.js'));

export const { text } = /** @type {typeof import('../../src/db/statements.ts')} */ (load('db/statements.js'));

export const { driverOptions, sessionStatements } = /** @type {typeof import('../../src/db/pool.ts')} */ (
  load('db/pool.js')
);

export const { IDS_AT_MOST } = /** @type {typeof import('../../src/queue/job.ts')} */ (load('queue/job.js'));
