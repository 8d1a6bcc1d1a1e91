import { Observable, type Subscription } from 'rxjs';
import { TokenEndpointError, type TokenResponse, type TokenSource } from 'rx-fresh-token';
import type { History, Outcome } from './history.js';
import type { Reference } from './reference.js';

/** A token source that does what the history says, and then is healthy. */
export function endpointOf(
  { outcomes, scale }: History,
  reference: Reference,
  later: (delay: number, what: () => void) => Subscription,
  say: (line: string) => void,
): TokenSource {
  const healthy: Outcome = { kind: 'token', latency: Math.min(1000, Math.round(scale / 100)), lifetime: scale };
  let asks = 0;
  let issued = 0;

  const tokenOf = ({ kind, lifetime }: Outcome): TokenResponse => {
    if (kind !== 'same' || issued === 0) issued++;
    const expires_in = lifetime === 'nonsense' ? 'soon' : lifetime === undefined ? undefined : lifetime / 1000;
    return { access_token: `T${String(issued)}`, expires_in };
  };

  return (request) => {
    const outcome = outcomes[asks++] ?? healthy;
    const { kind, latency, retryAfter } = outcome;
    say(`asked, ${request.reason} ${String(request.attempt)}: ${JSON.stringify(outcome)}`);
    reference.asked(request, outcome);
    if (kind === 'throw') {
      reference.answered(null);
      throw new Error('thrown by the source');
    }
    return new Observable<TokenResponse>((subscriber) => {
      const answer = () => {
        const response = kind === 'token' || kind === 'same' ? tokenOf(outcome) : null;
        say(`answered: ${response?.access_token ?? kind}`);
        reference.answered(response?.access_token ?? null);
        if (response) subscriber.next(response);
        else if (kind === 'invalid') subscriber.next({ access_token: '' });
        else if (kind === 'oauthError') subscriber.next({ error: 'invalid_grant' } as unknown as TokenResponse);
        else if (kind === 'permanent')
          subscriber.error(new TokenEndpointError('no', { status: 400, error: 'invalid_client' }));
        else if (kind === 'transient')
          subscriber.error(
            new TokenEndpointError('later', { status: 503, ...(retryAfter !== undefined && { retryAfter }) }),
          );
        subscriber.complete();
      };
      subscriber.add(() => {
        reference.released(request);
      });
      if (kind === 'hang') return;
      if (latency === null) answer();
      else subscriber.add(later(latency, answer));
    });
  };
}
