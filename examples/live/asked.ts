import { defer, type Observable } from 'rxjs';
import type { Client } from '../demo/client.js';
import type { OutgoingRecord } from '../demo/records.js';

/** How long each record has been asked for. */
export interface Asked {
  readonly waited: (key: string) => number;
  /** Notes when a record is asked for first, however often it is sent. */
  readonly noting: (send: Client['send']) => Client['send'];
}

/** Records that failed in the end are never asked for again; no more of them than this are remembered. */
const REMEMBERED = 5_000;

export function askedFor(): Asked {
  const since = new Map<string, number>();
  const note = ({ key }: OutgoingRecord): void => {
    if (!since.has(key)) since.set(key, performance.now());
    for (const oldest of since.keys()) if (since.size > REMEMBERED) since.delete(oldest);
  };
  return {
    waited: (key) => performance.now() - (since.get(key) ?? performance.now()),
    noting:
      (send) =>
      (record): Observable<Response> =>
        defer(() => {
          note(record);
          return send(record);
        }),
  };
}
