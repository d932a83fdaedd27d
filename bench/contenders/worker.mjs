// node bench/contenders/worker.mjs NAME URL
//
// A worker process of a contender that has no command of its own. It ends with its standard input: when the bench
// says so, or is killed.

const [name = '', url = ''] = process.argv.slice(2);

process.stdin.resume().on('end', () => process.exit());

/** @type {{ contender: import('./contender.mjs').Contender }} */
const { contender } = await import(`./${name}.mjs`);
await contender.work?.(url);
