/** Makes the token source and the stream that the options of the command line describe. */
import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { fileTokenStore } from '../file/fileTokenStore.js';
import { codeOf } from '../internal/platform/files.js';
import { clientCredentials } from '../oauth/clientCredentials.js';
import type { ClientAuthMethod } from '../oauth/options.js';
import { createTokenStream } from '../token/tokenStream.js';
import type { TokenSource, TokenStream, TokenStreamOptions } from '../token/types.js';
import { UsageError } from './io.js';
import type { ParsedOptions } from './options.js';

/** The stream that the command line describes. @throws UsageError, or what the parts of the library throw */
export function commandStream(options: ParsedOptions, times: Partial<TokenStreamOptions>): TokenStream {
  const source = tokenSourceOf(options);
  const file = options.text('store');
  return createTokenStream(source, { ...times, store: file === undefined ? undefined : fileTokenStore(file) });
}

/**
 * Client credentials, from the options of the command line. The file with the secret is read for each token, since
 * whoever keeps it may replace it.
 *
 * @throws UsageError
 */
export function tokenSourceOf(options: ParsedOptions): TokenSource {
  const file = options.required('client-secret-file');
  let secret = secretIn(file);
  let source = sourceWith(options, secret);
  return (request) => {
    // What comes by a pipe, such as `<(pass orders)`, can be read only once.
    if (statSync(file, { throwIfNoEntry: false })?.isFIFO()) return source(request);
    const now = secretIn(file);
    if (now !== secret) source = sourceWith(options, (secret = now));
    return source(request);
  };
}

/** The methods that need nothing but the secret. */
const METHODS = ['client_secret_basic', 'client_secret_post'] as const;

function clientAuthOf(options: ParsedOptions): ClientAuthMethod | undefined {
  const method = options.text('client-auth');
  if (method === undefined) return undefined;
  const known = METHODS.find((each) => each === method);
  if (!known) throw new UsageError(`--client-auth must be one of ${METHODS.join(', ')}`);
  return known;
}

const sourceWith = (options: ParsedOptions, clientSecret: string): TokenSource =>
  clientCredentials({
    issuer: options.text('issuer'),
    tokenEndpoint: options.text('token-endpoint'),
    clientId: options.required('client-id'),
    clientSecret,
    clientAuth: clientAuthOf(options),
    scope: options.text('scope'),
    audience: options.texts('audience'),
    resource: options.texts('resource'),
    allowInsecureRequests: options.has('allow-insecure-requests'),
  });

/** No secret is longer: servers take headers of 8 or 16 kB. Bytes. */
const LONGEST_SECRET = 4096;

/** The line in the file, without the line feed that editors put at its end, and without the byte order mark. */
function secretIn(file: string): string {
  const content = contentOf(file);
  // Other bytes than UTF-8 would be replaced, and another secret would be sent.
  if (!isUtf8(content)) throw new UsageError(`--client-secret-file is not UTF-8 text: ${file}`);
  const secret = new TextDecoder().decode(content).replace(/[\r\n]+$/, '');
  if (secret.trim() === '') throw new UsageError(`--client-secret-file is empty: ${file}`);
  return secret;
}

/** A device such as /dev/zero has no end: it is not read, and nothing is read beyond the longest secret. */
function contentOf(file: string): Uint8Array {
  let opened: number | undefined;
  try {
    opened = openSync(file, 'r');
    const stats = fstatSync(opened);
    if (!stats.isFile() && !stats.isFIFO())
      throw new UsageError(`--client-secret-file is neither a regular file nor a pipe: ${file}`);
    const content = Buffer.alloc(LONGEST_SECRET + 1);
    let size = 0;
    for (let read = -1; read !== 0; size += read) read = readSync(opened, content, size, content.length - size, null);
    if (size > LONGEST_SECRET)
      throw new UsageError(
        `--client-secret-file is longer than any secret: more than ${String(LONGEST_SECRET)} bytes in ${file}`,
      );
    return content.subarray(0, size);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--client-secret-file cannot be read: ${codeOf(error)} ${file}`);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}
