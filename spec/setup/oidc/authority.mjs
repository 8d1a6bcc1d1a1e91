import { createDatabase } from './database.mjs';
import { listen, reply } from './listen.mjs';
import { ResourceServer } from './resourceServer.mjs';

/** The API that the tokens are for. */
export const AUDIENCE = 'urn:spec:api';

/**
 * A real authorization server and, on the same port, a resource server under `/api`.
 * Options: `ttl` of access tokens in seconds, `format` 'jwt' (default) or 'opaque', `nonce` to demand DPoP nonces,
 * `delay` in ms between what the token endpoint does and what it says, `grace` in ms for which a used refresh token is accepted.
 */
export class Authority {
  #options;
  #server;
  #callback;
  #resources;
  #provider;
  #keys;
  #database;
  /** What was seen at the token endpoint, and of it refused. */
  #seen = { tokens: 0, refused: [], revokedGrants: 0, revocations: 0 };

  static async start(options) {
    const authority = new Authority();
    authority.#options = { ttl: 30, format: 'jwt', ...options };
    authority.#database = createDatabase(options.grace);
    const { signingKeys } = await import('./provider.mjs');
    const { clientKey } = await import('./clientKey.mjs');
    authority.clientKey = clientKey.privateJwk;
    authority.#keys = await signingKeys();
    authority.#server = await listen((request, response) => authority.#handle(request, response));
    authority.issuer = `http://127.0.0.1:${authority.#server.port}`;
    await authority.#open();
    return authority;
  }

  async #open() {
    const { createProvider, publicKeys } = await import('./provider.mjs');
    this.#provider = await createProvider(this.issuer, {
      ...this.#options,
      keys: this.#keys,
      database: this.#database,
    });
    this.#provider.on('grant.success', () => this.#seen.tokens++);
    this.#provider.on('grant.error', (ctx, error) =>
      this.#seen.refused.push(`${error.error}: ${error.error_detail ?? error.error_description}`),
    );
    this.#provider.on('grant.revoked', () => this.#seen.revokedGrants++);
    this.#callback = this.#provider.callback();
    this.#resources ??= new ResourceServer(this.issuer, publicKeys(this.#keys), this.#options);
    this.#resources.provider = this.#provider;
  }

  #handle(request, response) {
    response.setHeader('date', new Date().toUTCString()); // Node's own ignores a clock that is wrong on purpose
    if (request.url.startsWith('/api')) return this.#resources.handle(request, response);
    if (request.url.startsWith('/token/revocation')) this.#seen.revocations++;
    if (!this.#callback) return reply(response, 503, { error: 'temporarily_unavailable' });
    if (request.url.startsWith('/token')) delayEnd(response, this.#options.delay);
    return this.#callback(request, response);
  }

  /** A refresh token, as if a user had signed in. */
  async seed({ clientId = 'app', ...how } = {}) {
    const { seedRefreshToken } = await import('./provider.mjs');
    return { refreshToken: await seedRefreshToken(this.#provider, clientId, how) };
  }

  /** Down for a while, with all connections cut; then up again. Keys and grants are kept, as in a database. */
  async restart({ down = 500 } = {}) {
    const { port } = new URL(this.issuer);
    await this.#server.stop();
    await new Promise((resolve) => setTimeout(resolve, down));
    await this.#open();
    this.#server = await listen((request, response) => this.#handle(request, response), Number(port));
  }

  stats() {
    return { ...this.#seen, statuses: this.#resources.statuses };
  }

  stop() {
    return this.#server.stop();
  }
}

function delayEnd(response, delay = 0) {
  const end = response.end.bind(response);
  if (delay > 0) response.end = (...body) => void setTimeout(() => end(...body), delay);
}
