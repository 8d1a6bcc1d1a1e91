import { from } from 'rxjs';
import { directNetwork, type Client, type ClientSettings, type Send } from './client.js';
import type { OutgoingRecord } from './records.js';
import { Wire } from './wire.js';

/**
 * The client that many services have today: it keeps a token, learns from a 403 that it has ended, fetches a new one
 * and repeats the call. At its best: refusals that come together share one fetch.
 */
export class StatusQuoClient implements Client {
  readonly title = 'status quo';
  readonly wire: Wire;
  tokensFetched = 0;
  #token: Promise<string> | undefined;

  constructor(
    readonly settings: ClientSettings,
    readonly say: (line: string) => void,
    readonly network = directNetwork,
  ) {
    this.wire = new Wire(network.api);
  }

  readonly send: Send = (record) => from(this.#send(record));

  start(): Promise<unknown> {
    return this.current();
  }

  close(): void {
    this.#token = undefined;
  }

  async #send(record: OutgoingRecord): Promise<Response> {
    const used = this.current();
    const response = await this.#post(record, await used);
    if (response.status !== 403) return response;
    await response.text();
    if (this.#token === used) this.#token = this.#renew();
    return this.#post(record, await this.current());
  }

  /** The token at hand, or the first one. */
  current(): Promise<string> {
    return (this.#token ??= this.#fetchToken());
  }

  async #renew(): Promise<string> {
    const started = performance.now();
    const token = await this.#fetchToken();
    this.say(`a 403, so a new token, fetched in ${Math.round(performance.now() - started)} ms`);
    return token;
  }

  async #fetchToken(): Promise<string> {
    const { tokenEndpoint, clientId, clientSecret, scope } = this.settings;
    try {
      const response = await this.network.token(tokenEndpoint, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }),
      });
      if (!response.ok) throw new Error(`the token endpoint answered ${response.status}`);
      const { access_token: token } = (await response.json()) as { access_token: string };
      this.tokensFetched += 1;
      return token;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  #post(record: OutgoingRecord, token: string): Promise<Response> {
    const { text, key } = record;
    const { url, urlOf, method, headers } = this.settings;
    return this.wire.fetch(urlOf?.(record) ?? url, {
      method,
      body: text,
      headers: { ...headers, authorization: `Bearer ${token}`, 'idempotency-key': key },
    });
  }
}
