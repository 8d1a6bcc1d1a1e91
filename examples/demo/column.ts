import { defer, fromEvent, merge, of, EMPTY, shareReplay, type Observable } from 'rxjs';
import type { Client, Send } from './client.js';
import { deliver } from './delivery.js';
import { explain } from './explain.js';
import type { Input } from './input.js';
import type { Journal } from './journal.js';
import { splitLines } from './lines.js';
import { paced } from './pace.js';
import { LINE_BOUND, recordsOf, type OutgoingRecord } from './records.js';
import { contentOf, type Content, type RejectedFile } from './rejected.js';
import type { Screen } from './screen.js';

/** One client that delivers one input. */
export interface Column {
  readonly client: Client;
  readonly input: Input;
  readonly journal: Journal;
  /** Null: somebody else writes the same lines down. */
  readonly rejected: RejectedFile | null;
  readonly screen: Screen;
  readonly concurrency: number;
  /** Records a second, or undefined for as fast as it goes. */
  readonly rate: number | undefined;
  /** Aborted: take no more records, finish those in flight. */
  readonly stop: AbortSignal;
}

export interface Tally {
  delivered: number;
  /** Records that could not be delivered in the end. */
  failed: number;
  /** Lines that are no record. */
  bad: number;
}

/** A million bad lines would hide everything else; the file has them all. */
const SHOWN = 20;

/** Delivers the input; rejects when nothing more can be delivered, and leaves what was in flight to `--resume`. */
export async function runColumn(column: Column, tally: Tally): Promise<void> {
  const { client, input, journal, rejected, screen, concurrency, rate, stop } = column;
  const track = screen.track(client.title, input.size);
  const inFlight = new Set<OutgoingRecord>();
  const reject = (line: number, reason: string, content: Content): void => {
    if (rejected === null) return;
    rejected.add(line, reason, content);
    if (rejected.count <= SHOWN) screen.warn(`line ${line} rejected: ${reason}`);
    if (rejected.count === SHOWN) screen.warn(`further rejected lines are not shown; all are in ${rejected.path}`);
  };

  const source = input.open();
  const records = recordsOf(splitLines(source, LINE_BOUND), journal, {
    skipped: ({ bytes }) => track.advance(bytes, 0),
    bad: (line, reason) => {
      tally.bad += 1;
      reject(line.number, reason, contentOf(line));
      track.advance(line.bytes, 0);
    },
  });
  const measured: Send = (record) => {
    inFlight.add(record);
    return client.wire.measure(record.key, client.send(record));
  };

  try {
    await deliver(rate === undefined ? records : paced(records, rate, stop), measured, {
      concurrency,
      stop$: aborted(stop),
    }).forEach(({ record, error }) => {
      inFlight.delete(record);
      if (error === null) tally.delivered += 1;
      else {
        tally.failed += 1;
        reject(record.line, explain(error), { text: record.text, key: record.key });
      }
      // Last, so that a crash before it repeats the record and a crash after it loses nothing.
      journal.add(record.line);
      track.advance(record.bytes, 1);
    });
  } catch (error) {
    // What was in flight will be read again by --resume, unless the input cannot be read again.
    if (input.path === null) {
      for (const { line, text, key } of inFlight)
        reject(line, 'perhaps not delivered: the run ended first', { text, key });
    }
    throw error;
  } finally {
    source.destroy();
    journal.close();
    rejected?.close();
  }
}

/** One listener however many workers wait for it. */
const aborted = (signal: AbortSignal): Observable<unknown> =>
  merge(
    defer(() => (signal.aborted ? of(null) : EMPTY)),
    fromEvent(signal, 'abort'),
  ).pipe(shareReplay({ bufferSize: 1, refCount: false }));
