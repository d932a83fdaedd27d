import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SQL_FOLDER, text } from '../../src/db/statements';

const QUERIES = join(SQL_FOLDER, 'queries');

interface Known {
  name: string;
  /** Its text up to the first value. */
  begin: string;
  shape: RegExp;
}

/** What a statement has around it on a session of the caller's. */
const FOR_MARIADB = /^\/\*M! SET STATEMENT .*? FOR \*\/ /;
const FOR_MYSQL = /^(\w+) \/\*\+ .*?\*\/ /;

let known: Known[] | undefined;

/** The file of sql/queries that a statement comes from, whatever its values; of any other one its first words. */
export function nameStatement(sql: string): string {
  known ??= readKnown();
  const bare = sql.replace(FOR_MARIADB, '').replace(FOR_MYSQL, '$1 ');
  const found = known.find(({ begin, shape }) => bare.startsWith(begin) && shape.test(bare));
  return found?.name ?? bare.replaceAll(/\s+/g, ' ').slice(0, 60);
}

/** The longest beginnings first: some statements begin as others do, and go on. */
function readKnown(): Known[] {
  return readdirSync(QUERIES)
    .map((file) => read(basename(file, '.sql')))
    .sort((a, b) => b.begin.length - a.begin.length);
}

function read(name: string): Known {
  const parts = text(name).split(/:[a-z]\w*/i);
  const shape = new RegExp(`^${parts.map(literally).join('[^]*?')}$`);
  return { name, begin: parts[0] ?? '', shape };
}

const literally = (part: string): string => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
