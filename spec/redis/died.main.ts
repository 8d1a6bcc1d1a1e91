// Run by alive-spec.ts in a process of its own: its streams and clients are closed while Redis dies, and it must end.
import { of } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { redisTokenStore } from 'rx-fresh-token/redis';
import { connect, KINDS, openCluster, openSentinel, type Kind, type Opened } from './clients.js';

const [, , topology, port, ...pids] = process.argv;
const OPEN: Record<string, (kind: Kind) => Promise<Opened>> = {
  single: (kind) => connect(kind, `redis://127.0.0.1:${port!}`),
  cluster: (kind) => openCluster(kind, [Number(port)]),
  sentinel: (kind) => openSentinel(kind, Number(port)),
};
const closers: (() => unknown)[] = [];
for (const kind of KINDS) {
  for (const isStreamFirst of [true, false]) {
    const { client, close } = await OPEN[topology!]!(kind);
    const token$ = createTokenStream(() => of({ access_token: 'T1', expires_in: 3600 }), {
      store: redisTokenStore({ client, key: kind }),
    });
    token$.subscribe({ error: () => undefined });
    const closeStream = () => {
      token$.close();
    };
    closers.push(...(isStreamFirst ? [closeStream, close] : [close, closeStream]));
  }
}
// The subscribers have connected meanwhile.
await new Promise((resolve) => setTimeout(resolve, 1000));
pids.forEach((pid) => process.kill(Number(pid), 'SIGKILL'));
closers.forEach((close) => close());
// Clients wait for two seconds between attempts to reconnect, also when they have been closed.
setTimeout(() => process.exit(1), 5000).unref();
