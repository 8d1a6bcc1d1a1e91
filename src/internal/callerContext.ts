import { Observable } from 'rxjs';

/** Runs a function in the context that was captured. */
export type RunInContext = <R>(work: () => R) => R;

interface Storage {
  snapshot?(): RunInContext;
}

const asIs: RunInContext = (work) => work();

/**
 * Captures the asynchronous context of the caller (Node's AsyncLocalStorage), which loggers and tenants live in.
 * Browsers have none.
 */
export function captureContext(): RunInContext {
  const storage = (loaded ??= load());
  return storage.snapshot?.() ?? asIs;
}

let loaded: Storage | undefined;

/**
 * By `getBuiltinModule`, because bundlers for browsers refuse the specifier `node:async_hooks` even in an `import()`.
 */
function load(): Storage {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const hooks = process?.getBuiltinModule?.('node:async_hooks') as { AsyncLocalStorage?: Storage } | undefined;
  return hooks?.AsyncLocalStorage ?? {};
}

/**
 * Delivers what the source emits in the context of the subscriber. Without it, all who wait for one token would go on
 * in the context of the first, whose fetch it was.
 */
export const inCallerContext = <T>(source$: Observable<T>): Observable<T> =>
  new Observable((subscriber) => {
    const run = captureContext();
    return source$.subscribe({
      next: (value) => {
        run(() => {
          subscriber.next(value);
        });
      },
      error: (error: unknown) => {
        run(() => {
          subscriber.error(error);
        });
      },
      complete: () => {
        run(() => {
          subscriber.complete();
        });
      },
    });
  });
