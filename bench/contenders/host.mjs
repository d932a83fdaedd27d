// node bench/contenders/host.mjs NAME URL
//
// Does for the bench what is asked of one contender, in the Node that this contender runs with: `prepare`, `remove`, and
// what a session can. It ends when whoever started it does.

const [name = '', url = ''] = process.argv.slice(2);

/** @type {{ contender: import('./contender.mjs').Contender }} */
const { contender } = await import(`./${name}.mjs`);

/** @type {import('./contender.mjs').Session | undefined} */
let session;

/**
 * @typedef {{ method: 'prepare' | 'remove' | keyof import('./contender.mjs').Session, count: number }} Request
 * @param {Request} request
 */
async function answer({ method, count }) {
  if (method === 'prepare') return contender.prepare(url);
  if (method === 'remove') {
    await session?.close();
    return contender.remove(url);
  }
  session ??= await contender.open(url);
  const started = performance.now();
  const value = await session[method](count);
  return { value, ms: performance.now() - started };
}

process.on('message', (/** @type {Request} */ request) => {
  answer(request).then(
    (result) => process.send?.({ result }),
    (error) => process.send?.({ fault: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
