/** States of a stream, for the tables of the pure functions. */
import { accessToken } from '../../src/token/decisions/accessToken.js';
import type { ReceivedToken } from '../../src/token/decisions/receivedToken.js';
import { initialState, type StreamState } from '../../src/token/decisions/state.js';

export const token = accessToken({ access_token: 'T1' }, 0, 30_000);

/** Due at 25 s, over at 29 s. */
export const held = (changes: Partial<ReceivedToken> = {}): ReceivedToken => ({
  type: 'token',
  token,
  reason: 'initial',
  attempt: 1,
  isOnSchedule: true,
  took: 200,
  origin: 'fetched',
  requestedAt: 0,
  renewAt: 25_000,
  usableUntil: 29_000,
  endsAt: 30_000,
  isSuspended: false,
  isAccepted: false,
  isExpiryReported: false,
  ...changes,
});

export const stateOf = (changes: Partial<StreamState> = {}): StreamState => ({ ...initialState(), ...changes });

/** A refresh whose source is being asked. */
export const refresh = {
  reason: 'scheduled' as const,
  attempt: 1,
  rejection: null,
  isFetching: true,
  isSuperseded: false,
};
