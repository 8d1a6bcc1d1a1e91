import {
  defer,
  expand,
  firstValueFrom,
  retry,
  shareReplay,
  skip,
  startWith,
  Subject,
  switchMap,
  take,
  takeUntil,
  timer,
} from 'rxjs';
import { fetchToken, getWith, isRefused, type Candidate } from './candidate.js';

class Refused extends Error {}

/** The stream that one writes first: a timer renews, a refusal forces a refresh, requests take the latest token. */
export const handWritten: Candidate = {
  name: 'hand-written shareReplay',
  connect: (target) => {
    const refresh$ = new Subject<void>();
    const closed$ = new Subject<void>();
    const fetchToken$ = defer(() => fetchToken(target));
    const token$ = refresh$.pipe(
      startWith(undefined),
      switchMap(() =>
        fetchToken$.pipe(expand(({ expires_in }) => timer(expires_in * 800).pipe(switchMap(() => fetchToken$)))),
      ),
      takeUntil(closed$),
      shareReplay(1),
    );

    const refresh = (error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      refresh$.next();
      return token$.pipe(skip(1), take(1));
    };

    const get = (path: string) =>
      token$.pipe(
        take(1),
        switchMap(async ({ access_token }) => {
          const status = await getWith(access_token, `${target.origin}${path}`);
          if (isRefused(status)) throw new Refused(`the API answered ${status}`);
          return status;
        }),
        retry({ count: 1, delay: refresh }),
      );

    return { get: (path) => firstValueFrom(get(path)), close: () => closed$.next() };
  },
};
