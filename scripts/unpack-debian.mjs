// node scripts/unpack-debian.mjs NAME [OTHER NAME …]: unpacks a Debian package for the tests, and prints the folder.
import { unpackDebian } from './debian.mjs';

const [first = '', ...others] = process.argv.slice(2);
process.stdout.write(unpackDebian([first, ...others]));
