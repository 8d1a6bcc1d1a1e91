import type { RefreshTokenOptions } from '../../src/oauth/options.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import type { FakeEndpoint } from './fakeEndpoint.js';

/** A source that exchanges `r1` first. */
export const create = (endpoint: FakeEndpoint, more: Partial<RefreshTokenOptions> = {}) =>
  refreshToken({
    tokenEndpoint: 'https://id.example/token',
    clientId: 'cli',
    clientAuth: 'none',
    refreshToken: 'r1',
    fetch: endpoint.fetch,
    ...more,
  });

/** The refresh tokens that were sent, in order. */
export const used = ({ seen }: FakeEndpoint) => seen.map(({ form }) => form.refresh_token);
