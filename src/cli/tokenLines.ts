import { distinctUntilChanged, filter, map, merge, skip, startWith, type Observable } from 'rxjs';
import type { TokenEvent } from '../token/events.js';

const HEALTHY = 'there is a new token again';

/** What standard error says of the token. A failure that goes on is told once, and its end too. */
export function tokenLines(events$: Observable<TokenEvent>): Observable<string> {
  const changes$ = events$.pipe(
    filter((event) => event.type === 'refreshFailed' || event.type === 'tokenChanged'),
    map((event) => (event.type === 'refreshFailed' ? `no new token: ${event.message}` : HEALTHY)),
    startWith(HEALTHY),
    distinctUntilChanged(),
    skip(1),
  );
  const rejections$ = events$.pipe(
    filter((event) => event.type === 'tokenRejected'),
    map(({ token, outcome }) => `the token was rejected: ${String(token)}, ${outcome}`),
  );
  return merge(changes$, rejections$);
}
