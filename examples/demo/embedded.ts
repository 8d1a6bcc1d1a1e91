import { randomUUID } from 'node:crypto';
import type { Client } from './client.js';
import { runColumn, type Tally } from './column.js';
import { watchEventLoop } from './eventLoop.js';
import { freshClient } from './freshClient.js';
import { findInput } from './input.js';
import { noJournal } from './journal.js';
import { RejectedFile } from './rejected.js';
import { closingTable, verdict, type Figures } from './report.js';
import type { Screen } from './screen.js';
import { startServers, type Servers } from './servers/servers.js';
import { StatusQuoClient } from './statusQuoClient.js';
import { UsageError } from './usageError.js';

export interface EmbeddedSettings {
  readonly mode: 'embedded';
  readonly input: string;
  readonly concurrency: number;
  readonly rate: number;
}

const TOKEN_LIFETIME = 5;
/** Milliseconds. Loopback alone is too quick to be like a network; both clients meet the same. */
const LATENCY = { token: 200, api: 25 };

/** Both clients side by side, on servers in this process. Resolves to the exit status. */
export async function runEmbedded(settings: EmbeddedSettings, screen: Screen, stop: AbortSignal): Promise<number> {
  const input = findInput(settings.input);
  if (input.path === null)
    throw new UsageError('the servers of the demo need a file as input, because two clients read it');
  const rejected = new RejectedFile(input.rejectedPath, true);
  screen.print(introduction(settings));

  const servers = await startServers({
    clients: ['fresh', 'status-quo'],
    tokenLifetime: TOKEN_LIFETIME,
    latency: LATENCY,
  });
  const say =
    (title: string) =>
    (line: string): void =>
      screen.say(`${title.padEnd(16)}${line}`);
  // `exp` counts in whole seconds, so a token may end up to one second before `expires_in` says.
  const ours = freshClient(servers.settingsOf('fresh'), { expiryMargin: 1_000 }, say('rx-fresh-token'));
  const theirs = new StatusQuoClient(servers.settingsOf('status-quo'), say('status quo'));
  const eventLoop = watchEventLoop();
  let expiredInTransit = 0;
  ours.wire.onRefused = (sent, answered) => {
    // Its token expired on the way, because nothing ran.
    if (eventLoop.stalledBetween(sent, answered)) expiredInTransit += 1;
  };
  const deliver = async (client: Client, rejects: RejectedFile | null): Promise<Tally> => {
    const tally: Tally = { delivered: 0, failed: 0, bad: 0 };
    await runColumn(
      { ...settings, client, input, rejected: rejects, journal: noJournal(randomUUID()), screen, stop },
      tally,
    );
    return tally;
  };

  try {
    await Promise.all([ours.start(stop), theirs.start()]);
    const [ourTally, theirTally] = await Promise.all([deliver(ours, rejected), deliver(theirs, null)]);
    screen.settle();
    const figures = {
      ...figuresOf(ours, 'fresh', ourTally, servers),
      rejected: ourTally.failed + ourTally.bad,
      stalled: eventLoop.stalled(),
      expiredInTransit,
    };
    screen.print(closingTable([figures, figuresOf(theirs, 'status-quo', theirTally, servers)]));
    screen.print(FOOTNOTE);
    const { line, status } = verdict(figures, rejected, stop.aborted);
    screen.print(`  ${line}\n`);
    return status;
  } finally {
    screen.settle();
    eventLoop.close();
    ours.close();
    theirs.close();
    servers.close();
  }
}

function introduction({ input, rate }: EmbeddedSettings): string {
  return [
    '',
    `  Delivers every order in ${input}, ${rate} a second,`,
    `  to an API whose tokens live ${TOKEN_LIFETIME} s. Two clients run side by side on the same`,
    '  servers, and each delivers the whole file:',
    '',
    '    rx-fresh-token  renews its token in the background, before it expires',
    '    status quo      fetches a new token after a 403 and repeats the call',
    '',
    `  As across a network, a token takes ${LATENCY.token} ms and an answer of the API ${LATENCY.api} ms.`,
    '',
    PRACTICE,
    '',
  ].join('\n');
}

/** The README says the same in more words. */
const PRACTICE = [
  '  How a short-lived token is kept fresh, in any language:',
  '',
  '    1. Fetch the next token in the background, before this one expires.',
  '    2. One fetch serves all requests.',
  '    3. Keep the old token while it is valid. Never send an expired one.',
  '    4. After a 401 or 403, refresh once, if the token is still the current one.',
  '       Repeat the request once.',
  '    5. After a failed fetch, wait, and longer each time.',
].join('\n');

const FOOTNOTE = [
  '  Orders, duplicates, 403s and tokens are counted by the servers.',
  '  A wait is the time from the call until the accepted request was sent.',
  '',
].join('\n');

/** What the servers counted, beside what only the client can know. */
function figuresOf(client: Client, clientId: string, tally: Tally, servers: Servers): Figures {
  const { stored, duplicates, refused } = servers.countsOf(clientId);
  return {
    title: client.title,
    records: tally.delivered + tally.failed,
    delivered: stored,
    duplicates,
    sent: client.wire.sent,
    refused: refused.expired + refused.missing + refused.invalid,
    expired: refused.expired,
    errors: tally.failed,
    rejected: null,
    stalled: 0,
    expiredInTransit: 0,
    waited: client.wire.waited,
    longestWait: client.wire.longestWait,
    tokens: servers.tokensIssuedTo(clientId),
  };
}
