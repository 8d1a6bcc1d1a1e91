/** Computes from the events of a stream what a page may show of its token. */
import { BehaviorSubject, scan, type Observable } from 'rxjs';
import type { TokenEvent } from '../token/events.js';
import type { AccessToken, TokenStream } from '../token/types.js';

/**
 * - `absent`: there has been no token yet.
 * - `fresh`: there is a token that requests can use.
 * - `renewing`: the last token was rejected or has expired. It is being replaced, or will be when somebody needs a token.
 * - `failed`: there is no token, and the source failed permanently. The next token ends this state.
 * - `signedOut`: the session was ended (`signOut()`), or the stream was closed. The next token ends this state.
 */
export type TokenState = 'absent' | 'fresh' | 'renewing' | 'failed' | 'signedOut';

/** What a page may show of the token. */
export interface TokenView {
  readonly state: TokenState;
  /** The last token, until there is another one or none can come. */
  readonly token: AccessToken | null;
  /** The last failure was permanent: once the token is gone, no other one can come. */
  readonly hasFailed: boolean;
}

/** What to show after an event. @param current the usable token */
export function viewAfter(last: TokenView, event: TokenEvent, current: AccessToken | null): TokenView {
  if (event.type === 'signedOut' || event.type === 'closed')
    return { state: 'signedOut', token: null, hasFailed: false };
  const hasFailed = event.type === 'refreshFailed' ? event.permanent : event.type !== 'tokenChanged' && last.hasFailed;
  if (current) return { state: 'fresh', token: current, hasFailed };
  if (hasFailed) return { state: 'failed', token: null, hasFailed };
  return { ...last, state: last.state === 'fresh' ? 'renewing' : last.state, hasFailed };
}

const watches = /* @__PURE__ */ new WeakMap<TokenStream, BehaviorSubject<TokenView>>();

/** What to show of a stream's token. Watching fetches nothing. */
export function watchToken(token$: TokenStream): BehaviorSubject<TokenView> {
  const known = watches.get(token$);
  if (known) return known;
  const { current } = token$;
  const view$ = new BehaviorSubject<TokenView>({
    state: current ? 'fresh' : 'absent',
    token: current,
    hasFailed: false,
  });
  watches.set(token$, view$);
  const views$: Observable<TokenView> = token$.events.pipe(
    scan((last, event) => viewAfter(last, event, token$.current), view$.value),
  );
  views$.subscribe(view$);
  return view$;
}
