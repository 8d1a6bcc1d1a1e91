/** Tells a process that another one may have changed the token file: by watching it, and by looking every second. */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { catchError, defer, EMPTY, filter, finalize, fromEvent, merge, repeat, takeUntil, type Observable } from 'rxjs';
import type { Timers } from '../internal/time/timers.js';

/** Some file systems tell nothing, and a machine has only so many watches. Milliseconds. */
const POLL = 1000;

/**
 * Emits when the file may have changed. The directory is watched, since a file that is replaced is another one. Keeps
 * no process alive.
 */
export const fileChanges = (target: string, timers: Timers): Observable<unknown> =>
  merge(watched(dirname(target), basename(target)), timers.after(POLL).pipe(repeat()));

/** A watcher that cannot be opened, or that fails, leaves the polling. */
const watched = (directory: string, name: string): Observable<unknown> =>
  defer(() => {
    const watcher = watch(directory, { persistent: false });
    const changed$ = fromEvent(watcher, 'change', (_type: string, changed: string | null) => changed);
    return changed$.pipe(
      takeUntil(fromEvent(watcher, 'error')),
      finalize(() => watcher.close()),
    );
  }).pipe(
    catchError(() => EMPTY),
    // Some systems do not say which file it was.
    filter((changed) => changed === null || changed === name),
  );
