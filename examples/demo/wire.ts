import { defer, finalize, tap, type Observable } from 'rxjs';

/** A request that left later than this after it was asked for has waited. */
const WAITED = 50;

/**
 * Stands between a client and the network, in the same place for both columns. What it calls a wait is the time from
 * asking for a request until the sending of it that the API did not refuse was handed to `fetch`: waiting for a token
 * counts, and so does a sending that was refused and had to be made again.
 */
export class Wire {
  readonly #handedOver = new Map<string, number>();
  /** Requests handed to the network, repeats included. */
  sent = 0;
  /** Answers 401 and 403. */
  refused = 0;
  /** Told of each of those: when it was sent and answered, by `performance.now()`. */
  onRefused: (sent: number, answered: number) => void = () => undefined;
  waited = 0;
  longestWait = 0;

  constructor(readonly network: typeof fetch) {}

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    const sent = performance.now();
    this.#handedOver.set(headers.get('idempotency-key') ?? '', sent);
    this.sent += 1;
    const response = await this.network(input, init);
    if (response.status === 401 || response.status === 403) {
      this.refused += 1;
      this.onRefused(sent, performance.now());
    }
    return response;
  };

  /** Measures one request, told apart by its idempotency key. */
  measure<T>(key: string, request: Observable<T>): Observable<T> {
    return defer(() => {
      const asked = performance.now();
      return request.pipe(
        tap(() => {
          const wait = (this.#handedOver.get(key) ?? asked) - asked;
          this.longestWait = Math.max(this.longestWait, wait);
          if (wait > WAITED) this.waited += 1;
        }),
        finalize(() => this.#handedOver.delete(key)),
      );
    });
  }
}
