/**
 * A server that is away, or refuses, or makes somebody wait, is no reason for a run to end: it waits with all that it
 * holds. One that has claimed nothing yet may give up.
 *
 * @param {import('./stage.mjs').Stage} stage at rest
 */
export async function findBrokenRuns({ database, findings }) {
  const runs = await database.execute(
    `SELECT id, claimed, pid FROM background_job_runs WHERE outcome = 'error' AND claimed > 0`,
  );
  for (const { id, claimed, pid } of runs) {
    findings.push({
      check: 'runs outlive it',
      id: `run ${id}`,
      text: `ended with an error, of pid ${pid}; ${claimed} claimed`,
    });
  }
}
