import type { Call, Resource } from './history.js';
import type { Registry } from './issuer.js';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
}

export interface Verdict extends Answer {
  /** What the answer says of the token. A 403 that limits the rate, and a 500, say nothing. */
  readonly says: 'accepted' | 'bare' | 'explicit' | 'nothing';
  /** Why it is rejected. Another token helps only if this one is revoked, or too young. */
  readonly because: 'revoked' | 'lag' | 'forbidden' | null;
}

const LAG = 1500;

/** What a resource answers to a token. */
export function answerOf(resource: Resource, call: Call, token: string, registry: Registry, real: number): Verdict {
  const { kind, says } = resource;
  if (kind === 'broken') return { status: 500, headers: {}, says: 'nothing', because: null };
  if (kind === 'rateLimited') return rateLimit(call);
  if (kind === 'unauthorized') return { status: 401, headers: {}, says: 'explicit', because: 'forbidden' };
  const rejected = rejectionOf(says);
  if (registry.revoked.has(token)) return { ...rejected, because: 'revoked' };
  if (kind === 'lag' && real - (registry.issuedReal.get(token) ?? 0) < LAG) return { ...rejected, because: 'lag' };
  if (kind === 'forbidden' || (kind === 'operations' && call.isForbidden))
    return { ...rejectionOf('bare'), because: 'forbidden' };
  return { status: 200, headers: {}, says: 'accepted', because: null };
}

function rejectionOf(says: Resource['says']): Omit<Verdict, 'because'> {
  if (says === '401') return { status: 401, headers: {}, says: 'explicit' };
  if (says === 'bare') return { status: 403, headers: {}, says: 'bare' };
  return { status: 403, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, says: 'explicit' };
}

const rateLimit = ({ isForbidden }: Call): Verdict => ({
  status: 403,
  headers: isForbidden ? { 'retry-after': '60' } : { 'x-ratelimit-remaining': '0' },
  says: 'nothing',
  because: null,
});
