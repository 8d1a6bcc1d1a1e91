import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Candidate } from '../candidate.js';
import { freshClient } from '../freshClient.js';
import { handWritten } from '../handWritten.js';
import { measure, type Outcome } from '../measure.js';
import { SCENARIOS, WARM_UP, type Scenario } from '../scenarios.js';
import { table, type Row } from '../table.js';
import { axiosAuthRefresh } from './axiosAuthRefresh.js';
import { azureCore } from './azureCore.js';
import { googleAuth } from './googleAuth.js';
import { msalNode } from './msalNode.js';
import { openidClient } from './openidClient.js';
import { smithyCore } from './smithyCore.js';

/** `npm run compare`: each scenario by all packages side by side, each on servers of its own. */

const CANDIDATES: readonly Candidate[] = [
  freshClient,
  handWritten,
  axiosAuthRefresh,
  googleAuth,
  azureCore,
  msalNode,
  openidClient,
  smithyCore,
];

// @azure/core-rest-pipeline renews in the background, where nobody waits for it: its server may have stopped by then.
process.on('unhandledRejection', (reason) => {
  const { code } = ((reason as Partial<Error> | undefined)?.cause ?? {}) as { code?: string };
  if (code !== 'ECONNREFUSED') throw reason;
});

/** Steady traffic side by side; a burst keeps the processor busy, and so the packages take turns. */
async function runAll(scenario: Scenario): Promise<Outcome[]> {
  if (scenario.burst === undefined) return Promise.all(CANDIDATES.map((candidate) => measure(candidate, scenario)));
  const outcomes: Outcome[] = [];
  for (const candidate of CANDIDATES) outcomes.push(await measure(candidate, scenario));
  return outcomes;
}

const rows: Row[] = [];
// The first requests of a process compile what they use: that is not compared.
for (const candidate of CANDIDATES) await measure(candidate, WARM_UP);

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
for (const scenario of SCENARIOS) {
  process.stderr.write(`${scenario.name} …\n`);
  const outcomes = await runAll(scenario);
  outcomes.forEach((outcome, index) => {
    rows.push({ scenario: scenario.name, package: CANDIDATES[index]?.name ?? '', ...outcome });
  });
}
delay.disable();

console.log(table(rows));
console.log(`\nNode ${process.version}. The event loop was late by ${Math.round(delay.max / 1e6)} ms at most.`);
process.exit();
