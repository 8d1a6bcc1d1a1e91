import { DestroyRef, inject, NgZone, signal, untracked, type Signal } from '@angular/core';
import { distinctUntilChanged, endWith, filter, map, merge, observeOn, retry } from 'rxjs';
import type { AccessToken } from '../token/types.js';
import { TOKEN_STREAM } from './provideTokenStream.js';
import { within } from './zoneScheduler.js';

/**
 * The usable token as a signal: null while there is none, and after the stream was closed. As long as the injector that
 * it was called in lives (a component's, say), the token is kept fresh.
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
 * Call it where `inject` may be called. A source that failed for good makes it null until somebody's request succeeds.
 */
export function injectToken(): Signal<AccessToken | null> {
  const token$ = inject(TOKEN_STREAM);
  const zone = inject(NgZone);
  const current = signal(token$.current);
  // The stream ends a subscription when its source fails for good; the next token, for whomever it is, heals it.
  const kept$ = token$.pipe(retry({ delay: () => token$.events.pipe(filter(({ type }) => type === 'tokenChanged')) }));
  const current$ = merge(token$.events, kept$).pipe(
    map(() => token$.current),
    endWith(null),
    distinctUntilChanged(),
    observeOn(within((run) => zone.run(run))),
  );
  const subscription = zone.runOutsideAngular(() =>
    current$.subscribe((token) => {
      // A request may change it in the midst of a computed or, until Angular 18, an effect, where no signal may be written.
      untracked(() => {
        current.set(token);
      });
    }),
  );
  inject(DestroyRef).onDestroy(() => {
    subscription.unsubscribe();
  });
  return current.asReadonly();
}
