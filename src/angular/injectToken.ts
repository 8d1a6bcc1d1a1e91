/** The public functions that give a component the token and its state as signals. */
import { DestroyRef, inject, NgZone, signal, untracked, type Signal } from '@angular/core';
import { distinctUntilChanged, filter, map, observeOn, retry, switchMap, take, type Observable } from 'rxjs';
import type { AccessToken, TokenStream } from '../token/types.js';
import { injectTokenStream } from './providedStreams.js';
import { watchToken, type TokenState, type TokenView } from './tokenWatch.js';
import { within } from './zones.js';

/**
 * The token as a signal. While a rejected or expired token is being replaced, the signal keeps it, so that a page does
 * not flicker. It is null before the first token, after `signOut()` and `close()`, and when the source failed
 * permanently and there is no usable token. The token is renewed until the injector is destroyed in which this was
 * called, for example that of a component.
 *
 * ```ts
 * import { Component, computed } from '@angular/core';
 * import { injectToken } from 'rx-fresh-token/angular';
 *
 * @Component({ selector: 'app-token', template: `{{ id() }}` })
 * export class TokenId {
 *   readonly token = injectToken();
 *   readonly id = computed(() => this.token()?.id ?? 'no token');
 * }
 * ```
 *
 * Call it where `inject` may be called. After a sign-out, or a permanent failure, it fetches no token itself: it is
 * null until a request or `refresh()` fetches one.
 *
 * @param name the option `name` of `provideTokenStream`. Default: the stream without a name.
 */
export function injectToken(name?: string): Signal<AccessToken | null> {
  const token$ = injectTokenStream(name);
  keepFresh(token$);
  return injectView(token$, ({ token }) => token);
}

/**
 * The state of the token as a signal: see {@link TokenState}. It fetches nothing.
 *
 * @param name the option `name` of `provideTokenStream`. Default: the stream without a name.
 */
export function injectTokenState(name?: string): Signal<TokenState> {
  return injectView(injectTokenStream(name), ({ state }) => state);
}

/** Has the token renewed for as long as the injector lives. */
function keepFresh(token$: TokenStream): void {
  // The stream ends a subscription when its source fails permanently or the session ends; the next token heals it.
  const changed$ = token$.events.pipe(
    filter(({ type }) => type === 'tokenChanged'),
    take(1),
  );
  const { state } = watchToken(token$).value;
  const mustWait = state === 'signedOut' || state === 'failed';
  const kept$: Observable<unknown> = mustWait ? changed$.pipe(switchMap(() => token$)) : token$;
  subscribe(kept$.pipe(retry({ delay: () => changed$ })));
}

function injectView<T>(token$: TokenStream, project: (view: TokenView) => T): Signal<T> {
  const zone = inject(NgZone);
  const view$ = watchToken(token$);
  const current = signal(project(view$.value));
  const values$ = view$.pipe(map(project), distinctUntilChanged(), observeOn(within((run) => zone.run(run))));
  subscribe(values$, (value) => {
    // A request may change it in the midst of a computed or, until Angular 18, an effect, where no signal may be
    // written.
    untracked(() => current.set(value));
  });
  return current.asReadonly();
}

/** Subscribes outside of Angular's zone, for as long as the injector lives. */
function subscribe<T>(source$: Observable<T>, next?: (value: T) => void): void {
  const subscription = inject(NgZone).runOutsideAngular(() => source$.subscribe(next));
  inject(DestroyRef).onDestroy(() => subscription.unsubscribe());
}
