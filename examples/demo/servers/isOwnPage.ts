import type { IncomingMessage } from 'node:http';

/**
 * Whether a request comes from the page that this server serves. No other site may read it through a name of its own
 * (the Host must be loopback), or change anything here (the Origin must be the server's own).
 */
export function isOwnPage({ headers, method }: Pick<IncomingMessage, 'headers' | 'method'>): boolean {
  const host = headers.host ?? '';
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) return false;
  return method === 'GET' || (method === 'POST' && headers.origin === `http://${host}`);
}
