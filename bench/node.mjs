import { createRequire } from 'node:module';
import { Refusal } from '../scripts/say.mjs';

const require = createRequire(import.meta.url);

/** @type {string | undefined} */
let found;

/** The Node that everything measured runs on, Rowlock and its peers alike; to be asked once bench/ is installed. */
export function findNode() {
  found ??= find();
  return found;
}

/**
 * graphile-worker needs 22.18 or newer. It comes as a package of this machine's kind;
 * the package `node` itself fetches the same one in an install script, which npm runs no longer unasked.
 */
function find() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    return require.resolve(`${name}/bin/node`);
  } catch (error) {
    if (
      !/^(MODULE_NOT_FOUND|ERR_PACKAGE_PATH_NOT_EXPORTED)$/.test(
        String(/** @type {NodeJS.ErrnoException} */ (error).code),
      )
    )
      throw error;
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
    throw new Refusal(
      `the package ${name} is not installed in bench/; graphile-worker needs Node 22.18: run the bench with that`,
    );
  }
}
