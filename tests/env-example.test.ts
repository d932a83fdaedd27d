import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'dotenv';

const read = (file: string): string => readFileSync(join(__dirname, '..', file), 'utf8');

const known = [...read('src/config.ts').matchAll(/\bvariable: '(\w+)'/g)].map(([, name]) => name);
const shown = Object.keys(parse(read('.env.example').replaceAll(/^# (?=[A-Z_]+=)/gm, '')));

test('.env.example shows every setting, and no other', () => {
  expect(shown.sort()).toEqual(known.sort());
});
