import { take } from 'rxjs';
import { isTokenError } from 'rx-fresh-token';
import type { Model } from './model.js';

export interface Listener {
  readonly who: string;
  last: string | null;
  /** The session in which it heard `last`: the next one may begin with the same token. */
  session: number;
}

/** A subscriber of the stream itself. */
export function listen(
  who: string,
  once: boolean,
  { token$, facts, tokens, failures, listeners, log }: Model,
  onValue: () => void,
): () => void {
  const listener: Listener = { who, last: null, session: facts.session };
  const since = ++facts.seq;
  const leave = () => {
    if (!listeners.delete(listener)) return;
    facts.listeners--;
    facts.active();
    tokens.lastUse = facts.lastActivity;
  };
  listeners.add(listener);
  facts.listeners++;
  facts.isSignedOut = false;
  const subscription = (once ? token$.pipe(take(1)) : token$).subscribe({
    next: ({ value }) => {
      log?.(`${who} hears ${value}`);
      tokens.given(value, who, since);
      if (value === listener.last && listener.session === facts.session)
        facts.violated('14', `${who} heard ${value} twice`);
      if (listener.last !== null && tokens.serials.get(value)! < tokens.serials.get(listener.last)!)
        facts.violated('14', `${who} heard ${value} after ${listener.last}`);
      listener.last = value;
      listener.session = facts.session;
      onValue();
    },
    error: (error: unknown) => {
      log?.(`${who} fails: ${String(error)}`);
      leave();
      if (facts.isClosed && isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED')) return;
      if (!isTokenError(error, 'ERR_TOKEN_UNAVAILABLE') || failures.permanentSeq < 0)
        facts.violated('24', `a listener failed with ${String(error)}`);
      if (tokens.mustServe() !== null) facts.violated('11', 'a listener failed, though a token lives');
    },
    complete: () => {
      log?.(`${who} is done`);
      leave();
      if (!facts.isClosed && !(once && listener.last !== null))
        facts.violated('24', `${who} was completed before close()`);
    },
  });
  return () => {
    leave();
    subscription.unsubscribe();
  };
}
