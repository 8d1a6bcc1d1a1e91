/**
 * Pure rules of header fields that a gateway does not pass on (RFC 9110 section 7.6.1). Fields are flat lists, as in
 * `rawHeaders`.
 */

/**
 * They speak of one connection. `proxy-authorization` is meant for this proxy, `http2-settings` for an upgrade to h2c.
 */
const HOP_BY_HOP = new Set([
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
]);

/**
 * The proxy sets these itself. `expect` is answered or asked anew. `dpop` proves a token, and a request may have one
 * proof only.
 */
const REPLACED = new Set(['host', 'expect', 'authorization', 'dpop']);

/** A request with one of these is framed by it, whatever `Connection` says. */
const FRAMING = new Set(['content-length', 'host']);

/** The options in all `Connection` fields, in lower case: fields of these names are hop-by-hop too. */
function connectionOptions(raw: readonly string[]): readonly string[] {
  const options: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (nameAt(raw, i) !== 'connection') continue;
    for (const option of valueAt(raw, i).split(',')) options.push(option.trim().toLowerCase());
  }
  return options;
}

const nameAt = (raw: readonly string[], i: number): string => (raw[i] ?? '').toLowerCase();
const valueAt = (raw: readonly string[], i: number): string => raw[i + 1] ?? '';

/** The fields that go on, in their order and spelling, each as often as it came. */
function endToEnd(raw: readonly string[], isDropped: (name: string) => boolean): string[] {
  const options = connectionOptions(raw);
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = nameAt(raw, i);
    if (HOP_BY_HOP.has(name) || isDropped(name)) continue;
    if (options.length > 0 && options.includes(name) && !FRAMING.has(name)) continue;
    kept.push(raw[i] ?? '', valueAt(raw, i));
  }
  return kept;
}

export interface RequestFraming {
  /** `chunked`, or the number of bytes; undefined: no body. */
  readonly body: 'chunked' | number | undefined;
  readonly method: string;
  readonly expectsContinue: boolean;
  readonly isUpgrade: boolean;
}

/** The fields of the request to the upstream server, but for the token's. */
export function requestHeaders(
  raw: readonly string[],
  { host, via, framing }: { readonly host: string; readonly via: string; readonly framing: RequestFraming },
): string[] {
  const { body, method, expectsContinue, isUpgrade } = framing;
  const headers = ['Host', host, ...endToEnd(raw, (name) => REPLACED.has(name)), 'Via', via];
  if (body === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  // Node would frame an empty body as chunked, which not every server takes.
  else if (body === undefined && !BODILESS.has(method)) headers.push('Content-Length', '0');
  if (expectsContinue) headers.push('Expect', '100-continue');
  if (isUpgrade) headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket');
  return headers;
}

/** Methods that Node sends without any framing when there is no body. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** The fields of the response to the client. */
export function responseHeaders(raw: readonly string[], relocate: (location: string) => string): string[] {
  const headers = endToEnd(raw, () => false);
  for (let i = 0; i < headers.length; i += 2) {
    if (nameAt(headers, i) === 'location') headers[i + 1] = relocate(valueAt(headers, i));
  }
  return headers;
}

/** The fields as they are sent, and the empty line after them. */
export function wireOf(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${String(fields[i])}: ${valueAt(fields, i)}\r\n`;
  return `${text}\r\n`;
}
