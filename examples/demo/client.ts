import type { Observable } from 'rxjs';
import type { OutgoingRecord } from './records.js';
import type { Wire } from './wire.js';

/** Sends a record once and emits the answer. Cold: subscribing sends. */
export type Send = (record: OutgoingRecord) => Observable<Response>;

/** One way to get records to the API; there are two, to be compared. */
export interface Client {
  readonly title: string;
  readonly wire: Wire;
  readonly send: Send;
  /** By its own count. */
  readonly tokensFetched: number;
  /**
   * Gets the first token before the first record is read: a wrong address or secret shows at once, and no record waits.
   * Resolves early when `stop` is aborted.
   */
  start(stop: AbortSignal): Promise<unknown>;
  close(): void;
}

/** What a client reaches its servers by. */
export interface Network {
  readonly token: typeof fetch;
  readonly api: typeof fetch;
}

/** Looked up at each call, so that a test may replace it. */
const plainFetch: typeof fetch = (input, init) => fetch(input, init);
export const directNetwork: Network = { token: plainFetch, api: plainFetch };

export interface ClientSettings {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
  /** Where the records go, and how. */
  readonly url: URL;
  /** Where a certain record goes, if not all go to `url`. Same origin. */
  readonly urlOf?: (record: OutgoingRecord) => URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}
