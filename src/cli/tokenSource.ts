import { readFileSync, statSync } from 'node:fs';
import { clientCredentials } from '../oauth/clientCredentials.js';
import type { ClientAuthMethod } from '../oauth/options.js';
import type { TokenSource } from '../token/types.js';
import { UsageError } from './io.js';
import type { Given } from './options.js';

/**
 * Client credentials, as the command line names them. The file with the secret is read for each token, since whoever
 * keeps it may replace it. @throws UsageError
 */
export function tokenSourceOf(given: Given): TokenSource {
  const file = given.text('client-secret-file');
  if (file === undefined) throw new UsageError('--client-secret-file must be given');
  let secret = secretIn(file);
  let source = sourceWith(given, secret);
  // What comes by a pipe, such as `<(pass orders)`, can be read only once.
  if (!statSync(file).isFile()) return source;
  return (request) => {
    const now = secretIn(file);
    if (now !== secret) source = sourceWith(given, (secret = now));
    return source(request);
  };
}

const sourceWith = (given: Given, clientSecret: string): TokenSource =>
  clientCredentials({
    issuer: given.text('issuer'),
    tokenEndpoint: given.text('token-endpoint'),
    clientId: given.text('client-id') ?? '',
    clientSecret,
    clientAuth: given.text('client-auth') as ClientAuthMethod | undefined,
    scope: given.text('scope'),
    audience: given.texts('audience'),
    resource: given.texts('resource'),
    allowInsecureRequests: given.has('allow-insecure-requests'),
  });

/** No secret is longer: servers take headers of 8 or 16 kB. Characters. */
const LONGEST_SECRET = 4096;

/**
 * The line in the file. Editors begin it with a byte order mark and end it with a line feed: neither is part of the
 * secret.
 */
function secretIn(file: string): string {
  let secret: string;
  try {
    secret = readFileSync(file, 'utf8').replace(/^\uFEFF|[\r\n]+$/g, '');
  } catch (error) {
    throw new UsageError(
      `--client-secret-file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'} ${file}`,
    );
  }
  if (secret === '') throw new UsageError(`--client-secret-file is empty: ${file}`);
  if (secret.length > LONGEST_SECRET)
    throw new UsageError(
      `--client-secret-file is longer than any secret: ${String(secret.length)} characters in ${file}`,
    );
  return secret;
}
