/**
 * Tells the user what is going on, on stderr: stdout belongs to the command that is run.
 *
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`rowlock: ${text}\n`);
}

/** Something that the user has to mend: shown as one line, without a stack. */
export class Refusal extends Error {}

/**
 * Runs the main part of a script; its answer is the exit code.
 *
 * @param {() => Promise<number>} main
 */
export async function runScript(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
