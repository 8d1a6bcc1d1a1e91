import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { watchEventLoop } from '../demo/eventLoop.js';
import { closingTable, type Figures } from '../demo/report.js';
import { numberFrom, runExample } from '../demo/runExample.js';
import { startServers, type Servers } from '../demo/servers/servers.js';
import { compile } from './jdk.js';
import { runJava, startProxy, type Outcome, type ProxyProcess } from './programs.js';

const SUMMARY = `Two Java programs deliver orders side by side: one through the token proxy, one as
many services do it today. It needs a JDK.`;

interface Settings {
  readonly orders: number;
  readonly rate: number;
  readonly tokenLifetime: number;
}

const settingsOf = (args: readonly string[]): Settings =>
  new Command('npm run java --')
    .description(SUMMARY)
    .option('--orders <N>', 'orders that each delivers', numberFrom(1, 100_000, true), 2_000)
    .option('--rate <N>', 'orders a second', numberFrom(1, 1_000, true), 100)
    .option('--token-lifetime <S>', 'seconds', numberFrom(2, 3_600, true), 5)
    .allowExcessArguments(false)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<Settings>();

const file = fileURLToPath(new URL('../demo/orders.ndjson', import.meta.url));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** The table shows what the API counted: the Java programs do not know it. */
function figuresOf(
  { title, clientId, orders }: { title: string; clientId: string; orders: number },
  servers: Servers,
  outcome: Outcome,
): Figures {
  const { stored, duplicates, refused } = servers.countsOf(clientId);
  return {
    title,
    records: orders,
    delivered: stored,
    sent: stored + duplicates + refused.expired,
    duplicates,
    refused: refused.expired,
    expired: refused.expired,
    ...outcome,
    stalled: 0,
    expiredInTransit: 0,
    rejected: null,
    tokens: servers.tokensIssuedTo(clientId),
  };
}

/** @returns whether each order arrived once, and none was refused */
async function run({ orders, rate, tokenLifetime }: Settings, folder: string): Promise<boolean> {
  compile(folder, say);
  const eventLoop = watchEventLoop();
  const servers = await startServers({
    clients: ['orders', 'status-quo'],
    tokenLifetime,
    latency: { token: 200, api: 5 },
  });
  // If one of the programs fails, neither the other one nor the proxy must go on.
  const programs = new AbortController();
  let proxy: ProxyProcess | undefined;
  try {
    proxy = await startProxy(servers.settingsOf('orders'), folder);
    const theirs = servers.settingsOf('status-quo');
    const pace = [file, String(orders), String(rate)];
    const { signal } = programs;
    say(`Two Java programs deliver ${orders} orders each, ${rate} a second; tokens live ${tokenLifetime} s …`);
    const [fresh, statusQuo] = await Promise.all([
      runJava({ name: 'Orders', classes: folder, args: [`${proxy.url}${theirs.url.pathname}`, ...pace], signal }),
      runJava({
        name: 'StatusQuo',
        classes: folder,
        args: [theirs.url.href, ...pace],
        signal,
        env: {
          TOKEN_ENDPOINT: theirs.tokenEndpoint,
          CLIENT_ID: theirs.clientId,
          CLIENT_SECRET: theirs.clientSecret,
          SCOPE: theirs.scope ?? '',
        },
      }),
    ]);
    const status = await proxy.end();
    const figures = figuresOf({ title: 'through the proxy', clientId: 'orders', orders }, servers, fresh);
    const theirFigures = figuresOf({ title: 'status quo', clientId: 'status-quo', orders }, servers, statusQuo);
    process.stdout.write(closingTable([figures, theirFigures]));
    const { refused, duplicates, delivered, errors } = figures;
    const lost = orders - delivered;
    process.stdout.write(`  Through the proxy: ${refused} refused, ${duplicates ?? 0} twice, ${lost} lost.\n`);
    // The API's clock went on while it did not read: what was on its way may have expired there.
    const stalled = eventLoop.stalled();
    if (stalled > 0) process.stdout.write(`  The machine did not run for ${Math.round(stalled)} ms.\n`);
    return refused + (duplicates ?? 0) + lost + errors === 0 && status === 0;
  } finally {
    programs.abort();
    await proxy?.end();
    servers.close();
    eventLoop.close();
  }
}

await runExample(async () => {
  const settings = settingsOf(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-java-'));
  try {
    if (!(await run(settings, folder))) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
});
