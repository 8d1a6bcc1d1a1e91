import { HttpStatusError } from '../errors.js';

/** How much of the body of an unsuccessful response is kept in memory. Bytes. */
const MOST_KEPT = 64 * 1024;

/** What a status outside 200 to 299 becomes. The error holds no connection. */
export async function statusError(response: Response, nameOf: () => string): Promise<never> {
  throw new HttpStatusError(`${nameOf()} answered ${String(response.status)}`, await inMemory(response));
}

/** The body: parsed if it is JSON, null if there is none, else text. */
export async function parsedBody<T>(response: Response, nameOf: () => string): Promise<T> {
  const text = await response.text();
  if (text === '') return null as T;
  const saysJson = () => /\bjson\b/i.test(response.headers.get('content-type') ?? '');
  try {
    // Not every ponyfill of fetch strips the byte order mark; it counts as a blank.
    return (/^\s*[[{]/.test(text) || saysJson() ? JSON.parse(text.trimStart()) : text) as T;
  } catch {
    // The error of JSON.parse would quote the body.
    if (saysJson()) throw new SyntaxError(`${nameOf()}: the body says that it is JSON, but it is not`);
    return text as T;
  }
}

/** The same response with its body, or the beginning of it, in memory: it no longer holds a connection. */
async function inMemory(response: Response): Promise<Response> {
  const { body, status, statusText, headers, url, redirected, constructor } = response;
  if (!body || Object.prototype.toString.call(response) !== '[object Response]') return response;
  const kept = await ('getReader' in body ? beginningOf(body) : beginningOfNodeStream(body as NodeStream));
  const Class = constructor as typeof Response;
  const copy = new Class(kept, { status: Math.min(status, 599), statusText, headers });
  const value = (of: unknown) => ({ value: of, configurable: true });
  return Object.defineProperties(copy, { status: value(status), url: value(url), redirected: value(redirected) });
}

type NodeStream = Pick<NodeJS.ReadableStream, 'on'>;

/** What comes before the limit, the end, or an error of the connection: the status says more than such an error. */
async function beginningOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const beginning = createBeginning();
  const reader = body.getReader();
  try {
    for (;;) {
      const { value } = await reader.read();
      if (!value) break;
      if (beginning.add(value)) continue;
      await reader.cancel();
      break;
    }
  } catch {
    // What came stays.
  }
  return beginning.bytes();
}

/** node-fetch's: it is read to its end, since destroying it would leave the socket paused. */
const beginningOfNodeStream = (body: NodeStream): Promise<Uint8Array<ArrayBuffer>> =>
  new Promise((resolve) => {
    const beginning = createBeginning();
    const finish = () => {
      resolve(beginning.bytes());
    };
    body.on('data', (chunk: Uint8Array) => {
      if (!beginning.add(chunk)) finish();
    });
    body.on('end', finish);
    body.on('error', finish);
  });

interface Beginning {
  /** @returns whether there is room for more */
  readonly add: (chunk: Uint8Array) => boolean;
  readonly bytes: () => Uint8Array<ArrayBuffer>;
}

function createBeginning(): Beginning {
  const kept = new Uint8Array(MOST_KEPT);
  let length = 0;
  return {
    add: (chunk) => {
      const part = chunk.subarray(0, MOST_KEPT - length);
      kept.set(part, length);
      length += part.length;
      return length < MOST_KEPT;
    },
    bytes: () => kept.slice(0, length),
  };
}
