import { TokenEndpointError } from '../errors.js';
import type { TokenResponse } from '../token/types.js';
import { requireSteps } from './settings.js';

/**
 * How a token request is answered: `'ok'` by a token, `'transient'` by 503, `'permanent'` by 400 `invalid_client` (RFC
 * 6749 section 5.2), `'invalid'` by 200 without a token, `'hang'` never, `'down'` by a broken connection.
 */
export type ServerTokenStep = 'ok' | 'transient' | 'permanent' | 'invalid' | 'hang' | 'down';

const STEPS: readonly unknown[] = [
  'ok',
  'transient',
  'permanent',
  'invalid',
  'hang',
  'down',
] satisfies ServerTokenStep[];

export function requireTokenSteps(steps: unknown): void {
  requireSteps('steps', steps, (step) => STEPS.includes(step), STEPS.map((step) => `"${String(step)}"`).join(', '));
}

/** What those answers say that are not a token. */
export const TOKEN_FAILURES: Readonly<Partial<Record<ServerTokenStep, readonly [status: number, body: object]>>> = {
  transient: [503, { error: 'temporarily_unavailable' }],
  permanent: [400, { error: 'invalid_client' }],
  invalid: [200, {}],
};

/** Asks a token endpoint of {@link startTokenServer}, by the global fetch. */
export async function fetchToken(url: string, signal: AbortSignal): Promise<TokenResponse> {
  const response = await fetch(url, { method: 'POST', signal });
  const body = (await response.json()) as TokenResponse & { error?: string; error_description?: string };
  if (response.ok) return body;
  const { error, error_description: why } = body;
  throw new TokenEndpointError(
    `the token server answered ${String(response.status)}${why === undefined ? '' : `: ${why}`}`,
    { status: response.status, ...(error !== undefined && { error }) },
  );
}
