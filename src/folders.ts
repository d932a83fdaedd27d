import { join } from 'node:path';

/**
 * The folder of the compiled files. It is named here, at their top, and nowhere else: in the bundle of the command
 * every module is in it.
 */
export const CODE_FOLDER = __dirname;

/** The folder of the package: `sql` and `completion` are in it. */
export const PACKAGE_FOLDER = join(CODE_FOLDER, '..');
