import type { Subscription } from 'rxjs';
import type { TokenStream } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Failures } from './failures.js';
import type { Fetches } from './fetches.js';
import type { Resource } from './history.js';
import type { Registry } from './issuer.js';
import type { Rejections } from './rejections.js';
import type { ResourceMemory } from './resourceMemory.js';
import type { Tokens } from './tokens.js';
import type { Waiters } from './waiters.js';

/** The stream, what the model knows of it, and the servers. */
export interface Model {
  readonly token$: TokenStream;
  readonly facts: Facts;
  readonly tokens: Tokens;
  readonly failures: Failures;
  readonly fetches: Fetches;
  readonly rejections: Rejections;
  readonly waiters: Waiters;
  readonly registry: Registry;
  readonly resources: readonly (readonly [Resource, ResourceMemory])[];
  readonly later: (delay: number, what: () => void) => Subscription;
  /** The longest that a request or a fetch takes, in ms. */
  readonly slowest: number;
  readonly log: ((line: string) => void) | undefined;
}
