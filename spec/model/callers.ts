import { Observable, take, type Subscription } from 'rxjs';
import { isTokenError, withToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import type { Action } from './history.js';
import type { Reference, Refusal, Waiter } from './reference.js';

/** The world as callers see it. */
export interface Place {
  readonly token$: TokenStream;
  readonly reference: Reference;
  readonly maxWait: number;
  /** Tokens that the API no longer takes. */
  readonly revoked: ReadonlySet<string>;
  later(delay: number, what: () => void): Subscription;
  say(line: string): void;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
}

type Doing<D extends Action['do']> = Extract<Action, { do: D }>;

/** Runs `ask` with what it refuses made known to the reference; it must be judged meanwhile. */
export function refuse(reference: Reference, refusal: Refusal, pass: () => void): void {
  const outer = reference.rejection;
  reference.rejection = refusal;
  pass();
  reference.rejection = outer;
  if (!refusal.outcome && !reference.closed)
    reference.fault('events', `nothing said that ${refusal.token} was rejected`);
}

/** One call of `withToken`, from its start until it settles or its caller leaves. */
export function call(
  name: string,
  { reply, thrown, latency, key, maxWait }: Doing<'call'>,
  { token$, reference, revoked, later, say, ...place }: Place,
): () => void {
  const patience = maxWait ?? place.maxWait;
  let sends = 0;
  let left = false;
  let refusal: Refusal | null = null;
  let lastAnswer: unknown;
  let waiter: Waiter | null = null;

  const stopWaiting = () => {
    const ended = waiter;
    if (ended) {
      ended.gone = true;
      reference.waiters.delete(ended);
    }
    waiter = null;
    return ended;
  };

  function answerTo({ value }: AccessToken): Answer {
    const first = sends === 1;
    if (reply === '401' || (reply === '401Once' && first) || (reply === 'server' && revoked.has(value)))
      return { status: 401, headers: {} };
    if (reply === 'forbidden' || (reply === 'forbiddenOnce' && first)) return { status: 403, headers: {} };
    if (reply === '403 invalid_token' && first)
      return { status: 403, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } };
    return { status: reply === '500' ? 500 : 200, headers: {} };
  }

  const send = (token: AccessToken): Observable<Answer> => {
    sends++;
    const { era } = reference;
    say(`${name} sends ${token.value}`);
    reference.used(token.value, name, stopWaiting()?.seq ?? Infinity);
    reference.active();
    if (left) reference.fault('calls', `${name} was sent after its caller left`);
    if (sends > 2) reference.fault('B16', `${name} was sent ${String(sends)} times`);
    if (token.value === refusal?.token) reference.fault('B16', `${name} was repeated with the refused ${token.value}`);
    return new Observable((subscriber) => {
      const pass = (answer: Answer) => {
        lastAnswer = thrown && answer.status !== 200 ? Object.assign(new Error('refused'), answer) : answer;
        if (lastAnswer instanceof Error) subscriber.error(lastAnswer);
        else subscriber.next(answer);
        subscriber.complete();
      };
      const answer = () => {
        const said = answerTo(token);
        say(`${name} gets ${String(said.status)}`);
        if (said.status !== 401 && said.status !== 403) pass(said);
        else if (sends === 1) {
          refusal = {
            token: token.value,
            explicit: said.status === 401 || 'www-authenticate' in said.headers,
            key,
            outcome: null,
          };
          waiter = reference.wait(
            name,
            reference.held?.value === token.value ? 'recover' : 'take',
            patience,
            token.value,
          );
          refusal.waiter = waiter;
          refuse(reference, refusal, () => {
            pass(said);
          });
        } else {
          reference.spoil(key, era);
          pass(said);
        }
      };
      if (latency === null) answer();
      else subscriber.add(later(latency, answer));
    });
  };

  const settle = (error: unknown) => {
    const ended = stopWaiting();
    reference.ended(refusal);
    reference.active();
    if (ended && refusal?.outcome !== 'suppressed') reference.unserved(ended, error);
  };

  if (!reference.closed && reference.mustServe() === null) waiter = reference.wait(name, 'take', patience);
  const due = !reference.closed && !waiter;
  const subscription = withToken(token$, send, { key, maxWait }).subscribe({
    next: (value) => {
      if (value !== lastAnswer) reference.fault('B16', `${name} got an answer that is not its last`);
    },
    error: (error: unknown) => {
      say(`${name} fails: ${String(error)}`);
      // The token that it was about to take may have been refused, or gone, meanwhile.
      const tooLate = due && sends === 0 && reference.mustServe() === null;
      if (error !== lastAnswer && !waiter && !tooLate && !isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
        reference.fault('calls', `${name} failed with ${String(error)} while it did not wait`);
      settle(error === lastAnswer ? null : error);
    },
    complete: () => {
      say(`${name} is done`);
      if (sends === 0) reference.fault('calls', `${name} completed without being sent`);
      settle(null);
    },
  });
  if (due && sends === 0 && !reference.closed) {
    if (reference.mustServe() !== null)
      reference.fault('B4', `${name} was not sent at once, though a token was usable`);
    else if (!subscription.closed) waiter = reference.wait(name, 'take', patience);
  }

  return () => {
    if (subscription.closed) return;
    left = true;
    say(`${name} leaves`);
    stopWaiting();
    reference.ended(refusal);
    reference.active();
    subscription.unsubscribe();
  };
}

export interface Listener {
  readonly name: string;
  last: string | null;
}

/** A subscriber of the stream itself. */
export function listen(
  name: string,
  { once }: Doing<'listen'>,
  { token$, reference, say }: Place,
  listeners: Set<Listener>,
  onValue: () => void,
): () => void {
  const listener: Listener = { name, last: null };
  const since = ++reference.seq;
  const leave = () => {
    if (!listeners.delete(listener)) return;
    reference.listeners--;
    reference.active();
    reference.lastUse = reference.lastActivity;
  };
  listeners.add(listener);
  reference.listeners++;
  const subscription = (once ? token$.pipe(take(1)) : token$).subscribe({
    next: ({ value }) => {
      say(`${name} hears ${value}`);
      reference.used(value, name, since);
      if (value === listener.last) reference.fault('B14', `${name} heard ${value} twice`);
      listener.last = value;
      onValue();
    },
    error: (error: unknown) => {
      say(`${name} fails: ${String(error)}`);
      leave();
      if (!reference.closed || !isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED')) reference.listenerFailed(error);
    },
    complete: () => {
      say(`${name} is done`);
      leave();
      if (!reference.closed && !(once && listener.last !== null))
        reference.fault('B24', `${name} was completed before close()`);
    },
  });
  return () => {
    leave();
    subscription.unsubscribe();
  };
}

/** Someone who forces a refresh. */
export function refresh(name: string, { token$, reference, maxWait, say }: Place): () => void {
  const waiter = reference.closed ? null : reference.wait(name, 'refresh', maxWait);
  reference.wantsRefresh();
  let served = false;
  const subscription = token$.refresh().subscribe({
    next: ({ value }) => {
      served = true;
      say(`${name} gets ${value}`);
      if (waiter) reference.waiters.delete(waiter);
      if (reference.arrival?.value !== value || reference.arrival.seq < (waiter?.seq ?? Infinity))
        reference.fault('refresh', `${name} got ${value}, which did not just come`);
    },
    error: (error: unknown) => {
      say(`${name} fails: ${String(error)}`);
      if (waiter) {
        reference.waiters.delete(waiter);
        reference.unserved(waiter, error);
      } else if (!isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
        reference.fault('B26', `${name} failed with ${String(error)} after close()`);
    },
    complete: () => {
      if (!served) reference.fault('refresh', `${name} completed without a token`);
    },
  });
  return () => {
    if (waiter) reference.waiters.delete(waiter);
    subscription.unsubscribe();
  };
}
