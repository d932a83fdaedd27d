import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const SRC = join(__dirname, '..', 'src');

/** From the ground up. What a line names may import from its own line and from those above it, never from below. */
const LAYERS = [
  ['duration', 'folders', 'harmless', 'nearest', 'server-url', 'timers'],
  ['version'],
  ['errors'],
  ['shapes'],
  ['events', 'config', 'logger'],
  ['db'],
  ['queue'],
  ['words', 'verdict'],
  ['worker'],
  ['jobs', 'monitor'],
  ['doctor'],
  ['commands'],
  ['library', 'testing'],
  ['program'],
  ['cli'],
  ['index'],
];

const IMPORTS = [
  /^(?:import|export)\b[^;'"]*?\bfrom\s*['"](\.[^'"]+)['"]/gm,
  /^import\s*['"](\.[^'"]+)['"]/gm,
  /\b(?:import|require)\(\s*['"](\.[^'"]+)['"]\s*\)/g,
];

interface Import {
  from: string;
  to: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports = files.flatMap(readImports);

function readImports(file: string): Import[] {
  const source = readFileSync(join(SRC, file), 'utf8');
  return IMPORTS.flatMap((pattern) => [...source.matchAll(pattern)]).map(([, path = '']) => ({
    from: file,
    to: normalize(join(dirname(file), path)),
  }));
}

/** The folder of src that a file is in, or its own name if it is at the top. */
const partOf = (file: string): string => file.replace(/\.ts$/, '').split('/')[0] ?? '';

const layerOf = (file: string): number => LAYERS.findIndex((parts) => parts.includes(partOf(file)));

const say = ({ from, to }: Import): string => `${from} imports ${to}`;

test('every source file belongs to a layer', () => {
  expect(files.filter((file) => layerOf(file) < 0)).toEqual([]);
  expect(imports.filter(({ to }) => layerOf(to) < 0).map(say)).toEqual([]);
});

test('imports are found in every form that the sources use', () => {
  expect(files.length).toBeGreaterThan(10);
  expect(imports.map(say)).toContain('errors.ts imports duration');
});

test('imports run one way', () => {
  expect(imports.filter(({ from, to }) => layerOf(to) > layerOf(from)).map(say)).toEqual([]);
});

test('queue/ neither logs nor reads a setting', () => {
  const forbidden = imports.filter(({ from, to }) => partOf(from) === 'queue' && /^(logger|config)$/.test(partOf(to)));
  expect(forbidden.map(say)).toEqual([]);
});
