// The types of recurring.cjs, of which no more ticks come: a run that starts as a scene comes to rest enqueues none.
module.exports = require('./recurring.cjs').map(({ schedule: _, ...job }) => job);
