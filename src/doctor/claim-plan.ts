import { type PlanStep, readPlan } from '../db/statements';
import { type Check, type Finding, fault, ok } from './finding';

/** A sort that the index does not serve would lock every row that it reads, and the next worker gets nothing. */
export const claimPlan: Check = {
  name: 'claim-plan',
  async run({ pool }) {
    const lane = { queue: 'default', priority: 0, afterRunAt: new Date(1000), afterId: 0, limit: 100 };
    return judge(await readPlan(pool, 'claim_lane', lane));
  },
};

function judge(plan: PlanStep[]): Finding {
  const [step] = plan;
  const extra = step?.Extra ?? '';
  const isServed = plan.length === 1 && step?.key === 'claim_order' && step.type === 'range';
  if (isServed && !/filesort|temporary/i.test(extra)) return ok('claim_order, a range, no sort');
  return fault(
    `the claim is not served by claim_order (${step?.type}, ${step?.key ?? 'no key'}, ${extra}): it locks rows that it does not take`,
    'see keys; where they are as they should be, ANALYZE TABLE background_jobs',
  );
}
