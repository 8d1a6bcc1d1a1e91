// npm run fleet: many processes, one token. The same file runs in the primary and in each worker.
import cluster from 'node:cluster';

if (cluster.isPrimary) await (await import('./primary.js')).runPrimary();
else await (await import('./worker.js')).runWorker();
