import { MAX_RETRY_AFTER } from '../token/failure.js';

/** One server-sent event (HTML Standard, section 9.2). */
export interface ServerSentEvent {
  /** The last event id so far, or the empty text. */
  readonly id: string;
  /** The type: `message`, unless the server names one. */
  readonly event: string;
  readonly data: string;
}

/** What the server has said, for the next request. */
export interface StreamState {
  lastId: string;
  /** Milliseconds. */
  retry: number;
}

/** A server that sends more than this without the end of an event is not read on. Characters. */
const LONGEST_EVENT = 16 * 1024 * 1024;

/** What no header can carry: an id with it is ignored, as the standard has it for NUL. */
const CONTROL = /[^\P{Cc}\t]/u;

/**
 * Reads the text of one response (section 9.2.6), without its byte order mark, as it comes.
 *
 * @returns takes the next part of the text, and returns the events that have ended with it
 */
export function eventParser(state: StreamState, tooLong: () => Error): (text: string) => readonly ServerSentEvent[] {
  /** A line that has not ended, in the parts in which it came. */
  let line: string[] = [];
  let lineLength = 0;
  let data: string[] = [];
  let dataLength = 0;
  let event = '';
  let id = state.lastId;
  let endedWithCr = false;

  const read = (field: string): void => {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(field) ?? [];
    if (name === 'data') {
      data.push(value);
      dataLength += value.length + 1;
    } else if (name === 'event') event = value;
    else if (name === 'id' && !CONTROL.test(value)) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) state.retry = Math.min(Number(value), MAX_RETRY_AFTER);
  };

  const end = (): ServerSentEvent[] => {
    // Without data there is no event, but the id counts.
    state.lastId = id;
    const ended = data.length === 0 ? [] : [{ id, event: event || 'message', data: data.join('\n') }];
    data = [];
    dataLength = 0;
    event = '';
    return ended;
  };

  return (chunk) => {
    // What comes after a CR may be the second half of a CRLF.
    const text = endedWithCr && chunk.startsWith('\n') ? chunk.slice(1) : chunk;
    if (chunk !== '') endedWithCr = chunk.endsWith('\r');
    line.push(text);
    lineLength += text.length;
    let ended: ServerSentEvent[] = [];
    if (/[\r\n]/.test(text)) {
      const lines = line.join('').split(/\r\n|\n|\r/);
      line = lines.splice(-1);
      lineLength = line.join('').length;
      ended = lines.flatMap((each) => (each === '' ? end() : (read(each), [])));
    }
    if (lineLength + dataLength > LONGEST_EVENT) throw tooLong();
    return ended;
  };
}
