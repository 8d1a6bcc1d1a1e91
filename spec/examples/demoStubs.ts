import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ownFlags } from './demoSupport.js';

export interface Arrival {
  readonly key: string;
  readonly body: string;
  readonly request: IncomingMessage;
}

/** A token endpoint and an API for records on one port. It keeps what arrived, and answers as it is told. */
export class StubServers {
  readonly arrivals: Arrival[] = [];
  /** Whether bodies are kept, or only counted. */
  keep = true;
  tokens = 0;
  /** Whether the client is known. */
  known = true;
  answer: (arrival: Arrival, response: ServerResponse) => void = (_, response) =>
    void response.writeHead(201).end('{}');
  #server: Server | undefined;

  async start(): Promise<this> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((listening) => this.#server?.listen(0, '127.0.0.1', listening));
    return this;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo).port}`;
  }

  /** The command line that sends to these servers. */
  get flags(): string[] {
    return ownFlags(`${this.origin}/token`, `${this.origin}/orders`);
  }

  /** How often each record was taken, by its id. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { body } of this.arrivals) {
      const { id } = JSON.parse(body) as { id: string };
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    try {
      for await (const chunk of request) if (this.keep) body += String(chunk);
    } catch {
      return;
    }
    if (request.url === '/token') {
      this.tokens += 1;
      response.setHeader('content-type', 'application/json');
      if (!this.known) return void response.writeHead(401).end('{"error":"invalid_client"}');
      response.end(JSON.stringify({ access_token: `token-${this.tokens}`, token_type: 'Bearer', expires_in: 300 }));
      return;
    }
    const arrival = { key: String(request.headers['idempotency-key']), body, request };
    this.arrivals.push(arrival);
    this.answer(arrival, response);
  }
}
