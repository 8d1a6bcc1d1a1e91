import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { watchEventLoop } from '../demo/eventLoop.js';
import { explain } from '../demo/explain.js';
import { closingTable, type Figures } from '../demo/report.js';
import { startServers, type Servers } from '../demo/servers/servers.js';
import { compile } from './jdk.js';
import { runJava, startProxy, type Outcome } from './programs.js';

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '2000' },
    rate: { type: 'string', default: '100' },
    'token-lifetime': { type: 'string', default: '5' },
  },
});
const orders = Number(values.orders);
const file = fileURLToPath(new URL('../demo/orders.ndjson', import.meta.url));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Neither Java program knows what the API wrote down; the table is made of it. */
function figuresOf(title: string, clientId: string, servers: Servers, outcome: Outcome): Figures {
  const { stored, duplicates, refused } = servers.bookOf(clientId);
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

async function run(folder: string): Promise<boolean> {
  compile(folder, say);
  const eventLoop = watchEventLoop();
  const servers = await startServers({
    clients: ['orders', 'status-quo'],
    tokenLifetime: Number(values['token-lifetime']),
    latency: { token: 200, api: 5 },
  });
  try {
    const proxy = await startProxy(servers.settingsOf('orders'), folder);
    const theirs = servers.settingsOf('status-quo');
    const pace = [file, values.orders, values.rate];
    say(
      `Two Java programs deliver ${values.orders} orders each, ${values.rate} a second; tokens live ${values['token-lifetime']} s …`,
    );
    const [fresh, statusQuo] = await Promise.all([
      runJava({ name: 'Orders', classes: folder, args: [`${proxy.url}${theirs.url.pathname}`, ...pace] }),
      runJava({
        name: 'StatusQuo',
        classes: folder,
        args: [theirs.url.href, ...pace],
        env: {
          TOKEN_ENDPOINT: theirs.tokenEndpoint,
          CLIENT_ID: theirs.clientId,
          CLIENT_SECRET: theirs.clientSecret,
          SCOPE: theirs.scope ?? '',
        },
      }),
    ]);
    const status = await proxy.end();
    const figures = figuresOf('through the proxy', 'orders', servers, fresh);
    process.stdout.write(closingTable([figures, figuresOf('status quo', 'status-quo', servers, statusQuo)]));
    const { refused, duplicates, delivered, errors } = figures;
    const lost = orders - delivered;
    process.stdout.write(`  Through the proxy: ${refused} refused, ${duplicates ?? 0} twice, ${lost} lost.\n`);
    // The API's clock went on while it did not read: what was on its way may have expired there.
    const stalled = eventLoop.stalled();
    if (stalled > 0) process.stdout.write(`  The machine did not run for ${Math.round(stalled)} ms.\n`);
    return refused + (duplicates ?? 0) + lost + errors === 0 && status === 0;
  } finally {
    servers.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-java-'));
try {
  process.exitCode = (await run(folder)) ? 0 : 1;
} catch (error) {
  say(`error: ${explain(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
