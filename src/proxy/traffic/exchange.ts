/** The body of a request, streamed once, and kept for a repeat as long as it is small. */
import type { ClientRequest, IncomingMessage, InformationEvent } from 'node:http';
import { flushHead, type Field } from '../rules/headers.js';

/**
 * How long a server may take for `100 Continue`. Then the body is sent anyway (RFC 9110 section 10.1.1). Milliseconds.
 */
const CONTINUE_WAIT = 1_000;

interface ExchangeInit {
  readonly incoming: IncomingMessage;
  readonly method: string;
  /** The path and query at the upstream server. */
  readonly path: string;
  /** But for the token's. */
  readonly headers: readonly Field[];
  readonly hasBody: boolean;
  /** Bytes of the body that are kept for a repeat. */
  readonly repeatLimit: number;
  /** Asks the client for its body, which waits for `100 Continue`. */
  readonly askForBody?: (() => void) | undefined;
  /** Passes a 1xx response on. */
  readonly onInformation?: ((information: InformationEvent) => void) | undefined;
}

/**
 * One request of a client, on its way through `createFetch` to the transport, as the `body` of the request.
 *
 * The body is streamed, and what was read of it is kept up to a limit. `createFetch` takes an async iterable for a body
 * that can be sent only once (`isStream`). This object is one as soon as a part of the body is lost: before that, the
 * request can be repeated.
 */
export class Exchange {
  /** How often the request was sent. */
  sent = 0;
  #kept: Buffer[] | null = [];
  #size = 0;
  #isReading = false;
  #upstream: ClientRequest | undefined;
  readonly #leaving = new AbortController();

  constructor(readonly init: ExchangeInit) {}

  get [Symbol.asyncIterator](): (() => AsyncIterator<never>) | undefined {
    return this.isRepeatable ? undefined : nothing;
  }

  /** Aborts when the client leaves: nothing waits for a token any more, and nothing more is sent. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  get isRepeatable(): boolean {
    return this.#kept !== null;
  }

  /** All that the client has sent so far is sent on, and there is more to come. */
  get isWaitingForClient(): boolean {
    return this.#isReading && !this.init.incoming.readableEnded && this.#upstream?.writableLength === 0;
  }

  /** The client left, or is answered without the upstream server. */
  abandon(): void {
    this.#leaving.abort();
    this.#kept = null;
    this.#upstream?.destroy();
    if (this.#isReading) this.init.incoming.resume();
  }

  /** The response is final: nothing is repeated any more. */
  settle(): void {
    this.#kept = null;
  }

  /** Sends the body, what is kept of it and what is still to come, and ends the request. */
  sendBody(upstream: ClientRequest): void {
    const earlier = this.#upstream;
    this.#upstream = upstream;
    // A server may answer before it has read the body. The rest goes to the repeat.
    if (earlier && !earlier.writableFinished) earlier.destroy();
    const { hasBody, askForBody } = this.init;
    if (!hasBody) upstream.end();
    else if (askForBody && !this.#isReading) this.#sendWhenAsked(upstream, askForBody);
    else this.#stream(upstream);
  }

  #sendWhenAsked(upstream: ClientRequest, askForBody: () => void): void {
    const begin = () => {
      clearTimeout(late);
      if (upstream !== this.#upstream || upstream.destroyed || this.#isReading) return;
      askForBody();
      this.#stream(upstream);
    };
    const late = setTimeout(begin, CONTINUE_WAIT);
    upstream.once('continue', begin);
    for (const event of ['response', 'close']) upstream.once(event, () => clearTimeout(late));
  }

  #stream(upstream: ClientRequest): void {
    const { incoming } = this.init;
    // Its beginning is lost, so the body would be too short: the server would take the next request on the connection
    // for the rest.
    if (this.#isReading && !this.isRepeatable) {
      upstream.destroy(new Error('a part of the body is lost'));
      return;
    }
    for (const chunk of this.#kept ?? []) upstream.write(chunk);
    if (incoming.readableEnded) {
      upstream.end();
      return;
    }
    upstream.on('drain', () => incoming.resume());
    if (this.#isReading) incoming.resume();
    else this.#read(incoming);
    flushHead(upstream);
  }

  #read(incoming: IncomingMessage): void {
    this.#isReading = true;
    incoming.on('data', (chunk: Buffer) => {
      this.#keep(chunk);
      const upstream = this.#upstream;
      if (upstream && !upstream.destroyed && !upstream.writableEnded && !upstream.write(chunk)) incoming.pause();
    });
    incoming.on('end', () => this.#upstream?.end());
  }

  #keep(chunk: Buffer): void {
    if (!this.#kept) return;
    this.#size += chunk.length;
    if (this.#size > this.init.repeatLimit) this.#kept = null;
    else this.#kept.push(chunk);
  }
}

const nothing = (): AsyncIterator<never> => ({ next: () => Promise.resolve({ done: true, value: undefined }) });
