import type { CompareServer, ServerOptions } from './server.js';

const HOUR = 3_600_000;

export interface Step {
  /** Milliseconds since the first request was answered. */
  readonly at: number;
  readonly act: (server: CompareServer) => void;
}

export interface Scenario {
  readonly name: string;
  readonly server: ServerOptions;
  /** Requests a second to each path, for so many milliseconds. */
  readonly rates: Readonly<Record<string, number>>;
  readonly duration: number;
  /** Requests that are sent at once at the start, before the steady ones. Default 1. */
  readonly burst?: number;
  readonly steps?: readonly Step[];
}

const revocation = (refuseWith: 401 | 403): Scenario => ({
  name: `revocation, told by ${refuseWith}`,
  server: { lifetime: HOUR, refuseWith },
  rates: { '/orders': 20 },
  duration: 3_000,
  steps: [1_025, 2_025].map((at) => ({ at, act: (server) => server.revokeAll() })),
});

const outage = (start: number, length: number): Step[] => [
  { at: start, act: (server) => server.setOutage(true) },
  { at: start + length, act: (server) => server.setOutage(false) },
];

const coldStart = (burst: number): Scenario => ({
  name: 'cold start',
  server: { lifetime: HOUR, refuseWith: 401 },
  rates: {},
  burst,
  duration: 0,
});

export const WARM_UP = coldStart(5);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'rollover',
    server: { lifetime: 2_000, refuseWith: 401 },
    rates: { '/orders': 20 },
    duration: 7_000,
  },
  revocation(401),
  revocation(403),
  {
    // Three outages meet three ages of the token.
    name: 'outage',
    server: { lifetime: 2_000, refuseWith: 401 },
    rates: { '/orders': 20 },
    duration: 10_000,
    steps: [1_200, 4_200, 7_200].flatMap((start) => outage(start, 1_000)),
  },
  {
    name: 'forbidden path',
    server: { lifetime: HOUR, refuseWith: 403 },
    rates: { '/orders': 20, '/forbidden': 5 },
    duration: 4_000,
  },
  coldStart(50),
];
