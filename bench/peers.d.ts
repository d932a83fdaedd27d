// Peers are not installed where only the types are checked.
declare module 'bullmq';
declare module 'graphile-worker';
declare module 'ioredis';
declare module 'pg';
declare module 'pg-boss';
declare module 'sidequest';
