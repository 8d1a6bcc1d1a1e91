import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeTokenSource } from 'rx-fresh-token/testing';

export { until } from '../until.js';

/** With SOAK=1 servers are tormented for a minute, and tokens live long enough to end by themselves. */
export const SOAK = process.env.SOAK === '1';

/** How long tokens live, in milliseconds. */
export const LIFETIME = SOAK ? 5000 : 2000;

/** How long one spec may take, in milliseconds. */
export const LIMIT = SOAK ? 120_000 : 60_000;

export const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Mulberry32: the same random moments in every run. */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A protected server: it tells what credentials came, rejects those that are not alive, and can lose all its
 * connections.
 */
export class ProtectedServer {
  readonly http: Server = createServer((request, response) => this.onRequest(request, response));
  readonly sockets = new Set<{ destroy(): void }>();
  handshakes = 0;
  expired = 0;
  rejected = 0;
  revocations = 0;
  #accepted: string | undefined;
  #served: string | undefined;
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;

  constructor(readonly source: FakeTokenSource) {
    this.http.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  /** The token of a request, if it is alive. */
  admit({ headers }: IncomingMessage): string | undefined {
    return this.judge((headers.authorization ?? '').replace('Bearer ', ''));
  }

  judge(value: string): string | undefined {
    const fate = this.source.fateOf(value);
    this.handshakes++;
    if (fate === 'alive') return (this.#accepted = value);
    if (fate === 'expired') this.expired++;
    this.rejected++;
    return undefined;
  }

  /** A client has received a message: it knows that its token was accepted. */
  received(): void {
    this.#served = this.#accepted;
  }

  kill(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Loses all connections, and takes none for a while. */
  async restart(outage: number): Promise<void> {
    const { port } = this.http.address() as AddressInfo;
    const closed = new Promise((done) => this.http.close(done));
    this.kill();
    await closed;
    await wait(outage);
    await this.listen(port);
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((done) => this.http.listen(port, '127.0.0.1', done));
    return (this.http.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.kill();
    if (this.http.listening) await new Promise((done) => this.http.close(done));
  }

  /** What one spec has done to it. */
  summary(): string {
    const { handshakes, revocations, rejected, expired } = this;
    return `${handshakes} handshakes, ${revocations} revocations, ${rejected} rejected, ${expired} expired`;
  }

  /**
   * Kills connections, or the server, and revokes tokens, so many times (SOAK=1: for 60 s), at random moments. A token
   * is revoked once a client knows that it was accepted: on a machine that is late, three revocations in a row would
   * else end the stream.
   */
  async torment(random: () => number, times: number, longestOutage = 0): Promise<void> {
    const revoked = new Set<string>();
    const end = SOAK ? performance.now() + 60_000 : -Infinity;
    for (let left = times; left > 0 || performance.now() < end; left--) {
      await wait(50 + random() * (SOAK ? 3000 : 300));
      const what = random();
      const value = this.#served;
      if (what < 0.6 && value && !revoked.has(value) && this.source.fateOf(value) === 'alive') {
        revoked.add(value);
        this.source.revoke(value);
        this.revocations++;
      }
      if (what > 0.8 && longestOutage > 0) await this.restart(random() * longestOutage);
      else if (what > 0.4) this.kill();
    }
  }
}
