import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unpackDebian } from './debian';

/** How a program in a language is started: what stands in front of its file, and what it needs in its environment. */
export interface Runtime {
  command: [string, ...string[]];
  env: Record<string, string>;
}

/** What a package is called, in one release or another. */
type Package = [string, ...string[]];

const PHP: Package[] = [
  ['php8.2-cli', 'php8.3-cli', 'php8.4-cli'],
  ['php8.2-common', 'php8.3-common', 'php8.4-common'],
  ['php8.2-mysql', 'php8.3-mysql', 'php8.4-mysql'],
];
const LIBRARIES_OF_PHP: Package[] = [
  ['libargon2-1'],
  ['libsodium23'],
  ['libpcre2-8-0'],
  ['libxml2'],
  ['libicu72', 'libicu74', 'libicu76'],
];

/** What Ruby, Perl and the client itself speak to the server with, or the plugins of it. */
const CLIENT_LIBRARY: Package = ['libmariadb3'];
const RUBY: Package[] = [
  ['ruby3.1', 'ruby3.2', 'ruby3.3'],
  ['libruby3.1', 'libruby3.2', 'libruby3.3'],
  ['ruby-mysql2'],
  CLIENT_LIBRARY,
];
const LIBRARIES_OF_RUBY: Package[] = [['libyaml-0-2'], ['libgmp10']];

/** Files and folders of packages that are unpacked, and not installed. */
class Unpacked {
  private readonly paths: string[];

  constructor(packages: Package[]) {
    this.paths = packages.flatMap(listPaths);
  }

  /** The first one whose path ends so. */
  find(end: RegExp): string {
    const found = this.paths.find((path) => end.test(path));
    if (found === undefined) throw new Error(`nothing like ${end} is in Debian's packages any more`);
    return found;
  }

  /** The folders in which those are whose paths end so, as such variables have them. */
  foldersOf(end: RegExp): string {
    return [...new Set(this.paths.filter((path) => end.test(path)).map((path) => join(path, '..')))].join(delimiter);
  }

  /** Of the packages; these are unpacked, too, where the program does not start with the libraries of the machine. */
  findLibraries(program?: string, more: Package[] = []): { LD_LIBRARY_PATH: string } {
    const find = () => ({ LD_LIBRARY_PATH: this.foldersOf(/\/lib[^/]+\.so(\.\d+)*$/) });
    if (program !== undefined && spawnSync(program, ['--version'], { env: find() }).status !== 0)
      this.paths.push(...more.flatMap(listPaths));
    return find();
  }

  /** For a library that would look for what logs it in where it is installed. */
  findLogins(): { MARIADB_PLUGIN_DIR: string } {
    return { MARIADB_PLUGIN_DIR: this.foldersOf(/\/plugin\/caching_sha2_password\.so$/) };
  }
}

function listPaths(names: Package): string[] {
  const root = unpackDebian(...names);
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => join(root, path));
}

export function unpackPhp(): Runtime {
  const php = new Unpacked(PHP);
  const program = php.find(/\/bin\/php[\d.]+$/);
  const extensions = ['mysqlnd', 'pdo', 'pdo_mysql'].map((name) => php.find(RegExp(`/${name}\\.so$`)));
  return {
    command: [
      program,
      '-n',
      '-d',
      'display_errors=stderr',
      ...extensions.flatMap((path) => ['-d', `extension=${path}`]),
    ],
    env: php.findLibraries(program, LIBRARIES_OF_PHP),
  };
}

export function unpackRuby(): Runtime {
  const ruby = new Unpacked(RUBY);
  const program = ruby.find(/\/bin\/ruby[\d.]+$/);
  const env = { ...ruby.findLibraries(program, LIBRARIES_OF_RUBY), ...ruby.findLogins() };
  const libraries = ruby.foldersOf(/\/(mysql2\.rb|mysql2|json\.rb|rbconfig\.rb)$/);
  return { command: [program, '--disable-gems'], env: { ...env, RUBYLIB: libraries } };
}

const PYTHON = '/usr/bin/python3';

/** Python and Perl are the machine's own, if it has them; the packages are of modules. */
export const hasPython = existsSync(PYTHON);

export function unpackPython(): Runtime {
  // cryptography: without it PyMySQL cannot log in to MySQL where there is no TLS.
  const python = new Unpacked([['python3-pymysql'], ['python3-cryptography'], ['python3-cffi-backend']]);
  return {
    command: [PYTHON],
    env: { PYTHONPATH: python.foldersOf(/\/(pymysql|cryptography|_cffi_backend[^/]*\.so)$/) },
  };
}

const PERL = '/usr/bin/perl';

export const hasPerl = canStart(PERL, ['-MJSON::PP', '-e', '1']);

export function unpackPerl(): Runtime {
  const perl = new Unpacked([['libdbi-perl'], ['libdbd-mysql-perl'], CLIENT_LIBRARY]);
  const modules = { PERL5LIB: perl.foldersOf(/\/perl5\/[\d.]+\/DB[ID]\.pm$|\/DBD$/) };
  return { command: [PERL], env: { ...perl.findLibraries(), ...perl.findLogins(), ...modules } };
}

/** A shell that finds `mysql` and `jq`. */
export function unpackShell(): Runtime {
  const shell = new Unpacked([['mariadb-client-core'], ['jq'], ['libjq1'], ['libonig5'], CLIENT_LIBRARY]);
  const path = `${shell.foldersOf(/\/bin\/(mysql|jq)$/)}${delimiter}${process.env['PATH']}`;
  return { command: ['/bin/sh'], env: { ...shell.findLibraries(), ...shell.findLogins(), PATH: path } };
}

const hasModuleOfJava = (name: string): boolean =>
  spawnSync('java', ['--list-modules'], { encoding: 'utf8' }).stdout?.includes(`${name}@`) ?? false;

/** The machine's own JDK: Debian's is too large for a test. */
export const hasJava = hasModuleOfJava('jdk.compiler');

export function unpackJava(): Runtime {
  const java = new Unpacked([
    ['libmariadb-java'],
    ['libjackson2-core-java'],
    ['libjackson2-databind-java'],
    ['libjackson2-annotations-java'],
  ]);
  const jars = ['mariadb-java-client', 'jackson-core', 'jackson-databind', 'jackson-annotations'];
  // Compiled anew each time, and short: the compiler that makes fast code would only be in the way.
  const options = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  const classPath = jars.map((name) => java.find(RegExp(`/${name}\\.jar$`))).join(delimiter);
  return { command: ['java', ...options, '-cp', classPath], env: {} };
}

function canStart(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
