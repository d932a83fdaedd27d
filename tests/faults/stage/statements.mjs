import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PROJECT } from '../../../scripts/project.mjs';

const QUERIES = join(PROJECT, 'sql', 'queries');

/** @typedef {{ name: string, begin: string, shape: RegExp }} Known begin: its text up to the first value */

/** @type {Known[] | undefined} */
let known;

/**
 * The file of sql/queries that a statement comes from, whatever its values; of any other one its first words.
 *
 * @param {string} sql
 */
export function nameStatement(sql) {
  known ??= readdirSync(QUERIES)
    .map((file) => read(basename(file, '.sql')))
    // The longest beginnings first: some statements begin as others do, and go on.
    .sort((a, b) => b.begin.length - a.begin.length);
  const found = known.find(({ begin, shape }) => sql.startsWith(begin) && shape.test(sql));
  return found?.name ?? sql.replaceAll(/\s+/g, ' ').slice(0, 40);
}

/**
 * A trap for what no statement is called would catch nothing, and nobody would notice.
 *
 * @param {string} name
 */
export function requireStatement(name) {
  if (!existsSync(fileOf(name))) throw new Error(`there is no ${fileOf(name)}: the statement has another name`);
}

/** @param {string} name */
const fileOf = (name) => join(QUERIES, `${name}.sql`);

/**
 * @param {string} name
 * @returns {Known}
 */
function read(name) {
  const text = readFileSync(fileOf(name), 'utf8')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n')
    .trim()
    .replace(/;$/, '');
  const parts = text.split(/:[a-z]\w*/i);
  return { name, begin: parts[0] ?? '', shape: new RegExp(`^${parts.map(literally).join('[^]*?')}$`) };
}

/** @param {string} part */
const literally = (part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
