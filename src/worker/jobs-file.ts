import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { ConfigError, codeOf, messageOf, oneLine } from '../errors';
import type { JobDefinition } from './define';
import { parseJson } from './payload';

/**
 * The definitions of a module whose default export is a list of them, or of a JSON file of command types.
 * They are as the file has them; {@link createRegistry} checks each.
 *
 * @param path an absolute path
 * @throws ConfigError
 */
export async function loadJobsFile(path: string): Promise<JobDefinition[]> {
  requireFile(path);
  const found = path.endsWith('.json') ? await readJson(path) : unwrap(await importModule(path));
  if (Array.isArray(found)) return found as JobDefinition[];
  throw new ConfigError(
    path.endsWith('.json')
      ? `the job file ${path} holds no list; write [{ "type": "…", "command": ["…"] }]`
      : `the job module ${path} ${found === undefined ? 'has no default export' : 'has a default export that is no list'}; write export default [ … ], or module.exports = [ … ]`,
  );
}

function requireFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile()) return;
  const what = stats === undefined ? `there is no job module ${path}` : `${path} is no file, so no job module`;
  throw new ConfigError(`${what}; correct --jobs, or ROWLOCK_JOBS`);
}

async function readJson(path: string): Promise<unknown> {
  try {
    const text = await readFile(path, 'utf8');
    JSON.parse(text); // for its message, which says where the fault is
    return parseJson(text);
  } catch (error) {
    throw new ConfigError(`the job file ${path} cannot be read: ${oneLine(messageOf(error))}`, { cause: error });
  }
}

/** By import and not by require: a module of either kind may be loaded so, also one that awaits at its top. */
async function importModule(path: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const mend =
      codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? 'compile it to JavaScript and name that file'
        : 'mend it so that node can import it';
    throw new ConfigError(`the job module ${path} fails when it is loaded: ${oneLine(messageOf(error))}; ${mend}`, {
      cause: error,
    });
  }
}

/** A CommonJS module is its own default export, and one compiled from ESM has another inside of that. */
function unwrap(module: unknown): unknown {
  let found = module;
  for (let depth = 0; depth < 2 && hasDefault(found); depth++) found = found.default;
  // Without any default export the namespace itself is left: only its names are of no use here.
  return found === module ? undefined : found;
}

const hasDefault = (value: unknown): value is { default: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && 'default' in value;
