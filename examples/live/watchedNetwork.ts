import { setTimeout as pause } from 'node:timers/promises';
import type { Network } from '../demo/client.js';
import type { Faults } from './faults.js';
import type { LaneEvent, LaneName } from './liveEvent.js';
import type { LiveClock } from './liveClock.js';
import type { TokenRegistry } from './tokenRegistry.js';

export interface Watch {
  readonly lane: LaneName;
  readonly clock: LiveClock;
  readonly faults: Faults;
  readonly registry: TokenRegistry;
  readonly emit: (event: LaneEvent) => void;
  /** Milliseconds since the request with this key was asked for. */
  readonly waited: (key: string) => number;
}

/** As long as an answer takes that comes from somewhere. */
const LATENCY = { token: 150, api: 40 };

/** The network of one client: it tells of every request on it, and has the faults that were asked for. */
export function watchedNetwork({ lane, clock, faults, registry, emit, waited }: Watch): Network {
  let requests = 0;
  const sent = new Set<string>();

  const api: typeof fetch = async (input, init) => {
    const { headers, url } = new Request(input, { ...init, body: null });
    const key = headers.get('idempotency-key') ?? '';
    const path = new URL(url).pathname;
    const token = registry.find(/^\S+ (\S+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? '');
    const request = requests++;
    const wait = waited(key);
    const answered = (status: number): void =>
      emit({ type: 'answered', lane, at: clock.now(), request, status, waited: wait });
    emit({
      type: 'sent',
      lane,
      at: clock.now(),
      request,
      token: token?.number ?? -1,
      path,
      waited: wait,
      again: sent.has(key),
    });
    sent.add(key);
    try {
      const refusal = faults.refuses(token, path);
      const response = refusal === null ? await fetch(input, init) : await instead(refusal, LATENCY.api);
      if (response.ok) sent.delete(key);
      answered(response.status);
      return response;
    } catch (error) {
      answered(0);
      throw error;
    }
  };

  const token: typeof fetch = async (input, init) => {
    const broken = faults.breaks();
    return broken === null ? fetch(input, init) : instead(broken, LATENCY.token);
  };
  return { api, token };
}

async function instead(status: number, latency: number): Promise<Response> {
  await pause(latency);
  return new Response(JSON.stringify({ status }), { status, headers: { 'content-type': 'application/json' } });
}
