import { Observable } from 'rxjs';
import { TokenStreamClosedError } from '../errors.js';
import { requireFunction } from '../internal/validate.js';
import type { TokenEvent } from './events.js';
import { TokenKeeper } from './tokenKeeper.js';
import type { AccessToken, TokenSource, TokenStream, TokenStreamOptions } from './types.js';

/** Links a stream to its keeper. From the global registry, so that two copies of the package agree. */
const KEEPER: unique symbol = Symbol.for('rx-fresh-token/keeper@1');

class FreshTokenStream extends Observable<AccessToken> implements TokenStream {
  readonly #keeper: TokenKeeper;

  constructor(keeper: TokenKeeper) {
    super((subscriber) => {
      keeper.listen(subscriber);
    });
    this.#keeper = keeper;
  }

  get [KEEPER](): TokenKeeper {
    return this.#keeper;
  }

  get events(): Observable<TokenEvent> {
    return this.#keeper.events.asObservable();
  }

  get current(): AccessToken | null {
    return this.#keeper.current;
  }

  refresh(): Observable<AccessToken> {
    return this.#keeper.refresh();
  }

  reject(token: AccessToken): void {
    if (typeof (token as AccessToken | null)?.value !== 'string') throw new TypeError('reject(token) takes a token of this stream');
    if (this.#keeper.isClosed) throw new TokenStreamClosedError();
    this.#keeper.reject({ token, explicit: true });
  }

  close(): void {
    this.#keeper.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Makes a stream that keeps an access token fresh.
 *
 * ```
 * source   r----------------------r----------------------r      one request per token life
 * stream    T1---------------------T2---------------------T3    subscribers get the token now, then every new one
 *           |<------- 30 s ------->|
 * ```
 *
 * The stream fetches when somebody needs a token, shares the fetch among all who ask meanwhile, renews the token in the
 * background before it ends, and stops when nobody needs it any more. Unsubscribing never aborts a fetch that others may
 * use. A failed renewal is repeated with backoff and is invisible while the token at hand still lives.
 *
 * ```ts
 * const token$ = createTokenStream(() => fetch('https://auth.example.com/token', { method: 'POST' }).then((r) => r.json()));
 * token$.subscribe((token) => console.log(String(token))); // AccessToken(Bearer 4ac1a6a0)
 * ```
 *
 * @param source fetches one token; see {@link TokenSource}
 * @returns a hot stream. It completes on `close()`, and errors a subscriber only with {@link TokenUnavailableError}: no
 *   usable token, and the source failed for good. One may subscribe again at any time.
 * @throws TypeError that names an option which is out of range.
 */
export function createTokenStream(source: TokenSource, options: TokenStreamOptions = {}): TokenStream {
  requireFunction('source', source);
  return new FreshTokenStream(new TokenKeeper(source, options));
}

/** The keeper behind a stream of {@link createTokenStream}. */
export function keeperOf(token$: TokenStream): TokenKeeper {
  const keeper = (token$ as Partial<Record<typeof KEEPER, TokenKeeper>> | null)?.[KEEPER];
  if (!keeper) throw new TypeError('token$ must be a stream made by createTokenStream');
  return keeper;
}
