/** Heads of messages, and rules of the header fields that a gateway does not pass on (RFC 9110 section 7.6.1). */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingMessage } from 'node:http';

/** A header field, its name as it was written. */
export type Field = readonly [name: string, value: string];

/**
 * They are about one connection. `proxy-authorization` is meant for this proxy, `http2-settings` for an upgrade to h2c.
 */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/**
 * The proxy sets these itself. `expect` is answered or asked anew. `dpop` proves a token, and a request may have one
 * proof only.
 */
const REPLACED = ['host', 'expect', 'authorization', 'dpop'];

/** The fields of a flat list, such as `rawHeaders`. */
export const fieldsIn = (raw: readonly string[]): Field[] =>
  Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] ?? '', raw[2 * i + 1] ?? '']);

/** How a request has framed its body: `chunked`, or the number of bytes; undefined: no body. */
export const framingOf = (headers: IncomingHttpHeaders): 'chunked' | number | undefined => {
  const length = headers['content-length'];
  return headers['transfer-encoding'] ? 'chunked' : length === undefined ? undefined : Number(length);
};

/** Node's parser takes off the coding `chunked` only. */
export const hasKnownRequestCoding = (headers: IncomingHttpHeaders): boolean =>
  /^(chunked)?$/i.test(headers['transfer-encoding'] ?? '');

/** Servers also send `identity`, and `chunked` in two fields. What has no body has no coding either. */
export const hasKnownResponseCoding = ({ headers, statusCode }: IncomingMessage, method: string): boolean =>
  method === 'HEAD' ||
  statusCode === 304 ||
  /^(identity|chunked(, *chunked)*)?$/i.test(headers['transfer-encoding'] ?? '');

/** The other fields, in their order and spelling, each as often as it came. @param names in lower case */
export const fieldsWithout = (fields: readonly Field[], names: readonly string[]): Field[] =>
  fields.filter(([name]) => !names.includes(name.toLowerCase()));

/** The fields that are not for this connection only. */
function endToEnd(raw: readonly string[]): Field[] {
  const fields = fieldsIn(raw);
  const named = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, options]) => options.toLowerCase().split(/[\s,]+/))
    // `Connection: content-length` must not remove the framing.
    .filter((name) => name !== 'content-length');
  return fieldsWithout(fields, [...HOP_BY_HOP, ...named]);
}

interface SentRequest {
  readonly host: string;
  readonly via: string;
  readonly body: ReturnType<typeof framingOf>;
  readonly method: string;
  readonly expectsContinue: boolean;
  readonly isUpgrade: boolean;
}

/** The fields of the request to the upstream server, but for the token's. */
export function requestHeaders(raw: readonly string[], sent: SentRequest): Field[] {
  const { host, via, body, method, expectsContinue, isUpgrade } = sent;
  const fields: Field[] = [['Host', host], ...fieldsWithout(endToEnd(raw), REPLACED), ['Via', via]];
  if (body === 'chunked') fields.push(['Transfer-Encoding', 'chunked']);
  // Node would frame an empty body as chunked, which not every server takes.
  else if (body === undefined && !BODILESS.has(method)) fields.push(['Content-Length', '0']);
  if (expectsContinue) fields.push(['Expect', '100-continue']);
  if (isUpgrade) fields.push(...UPGRADE_FIELDS);
  return fields;
}

/** Methods that Node sends without any framing when there is no body. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

export const UPGRADE_FIELDS: readonly Field[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
];

/** The fields of the response to the client. */
export function responseHeaders(raw: readonly string[], status: number): Field[] {
  // These have no body, and no length of one (RFC 9110 section 8.6).
  const isBare = status < 200 || status === 204;
  return fieldsWithout(endToEnd(raw), isBare ? ['content-length'] : []);
}

/** The same fields as an object, in which those of one name are together. */
export function fieldsByName(fields: readonly Field[]): Record<string, string | string[]> {
  const byKey = new Map<string, [name: string, value: string | string[]]>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    const [first, earlier] = byKey.get(key) ?? [name];
    byKey.set(key, [first, earlier === undefined ? value : [earlier, value].flat()]);
  }
  return Object.fromEntries(byKey.values());
}

/** The head of a message as it is sent. */
export const headOf = (line: string, fields: readonly Field[]): Buffer =>
  Buffer.from([line, ...fields.map((field) => field.join(': ')), '\r\n'].join('\r\n'), 'latin1');

/** The head leaves at once, even if the body takes its time. */
export function flushHead(message: OutgoingMessage): void {
  setImmediate(() => {
    if (!message.destroyed && !message.writableEnded) message.flushHeaders();
  });
}
