/** Watches the file of the token. */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { filter, merge, Observable, repeat } from 'rxjs';
import type { Timers } from '../internal/timers.js';

/** Some file systems tell nothing, and a machine has only so many watches. Milliseconds. */
const POLL = 1000;

/**
 * Emits when the file may have changed. The directory is watched, since a file that is replaced is another one. Keeps
 * no process alive.
 */
export const fileChanges = (target: string, timers: Timers): Observable<unknown> =>
  merge(watched(dirname(target), basename(target)), timers.after(POLL).pipe(repeat()));

const watched = (directory: string, name: string): Observable<unknown> =>
  // Hand-made: a watcher that cannot be opened, or that fails, leaves the polling.
  new Observable<string | null>((subscriber) => {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, changed) => {
        subscriber.next(changed);
      });
      watcher.on('error', () => {
        watcher.close();
      });
      return () => {
        watcher.close();
      };
    } catch {
      return undefined;
    }
  }).pipe(
    // Some systems do not say which file it was.
    filter((changed) => changed === null || changed === name),
  );
