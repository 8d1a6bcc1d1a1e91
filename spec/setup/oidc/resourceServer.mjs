import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { createHash } from 'node:crypto';
import { AUDIENCE } from './authority.mjs';
import { reply } from './listen.mjs';

/** A resource server that judges strictly: no leeway for an expired token, and DPoP as RFC 9449 has it. */
export class ResourceServer {
  /** How often each status was answered, by path. */
  statuses = {};
  provider;
  #issuer;
  #keys;
  #opaque;
  #proofs = new Set();
  #nonce = { value: 'nonce-0', uses: 0, made: 0 };

  constructor(issuer, keys, { format }) {
    this.#issuer = issuer;
    this.#keys = keys;
    this.#opaque = format === 'opaque';
  }

  async handle(request, response) {
    const [status, headers, body] = await this.#judge(request).catch((error) => [
      401,
      { 'www-authenticate': 'Bearer error="invalid_token"' },
      { message: error.message },
    ]);
    const { pathname } = new URL(request.url, this.#issuer);
    const counts = (this.statuses[pathname] ??= {});
    const key = headers['www-authenticate']?.includes('use_dpop_nonce') ? `${status} use_dpop_nonce` : status;
    counts[key] = (counts[key] ?? 0) + 1;
    reply(response, status, body, headers);
  }

  async #judge(request) {
    const [scheme, value] = (request.headers.authorization ?? '').split(' ');
    if (!value) return [401, { 'www-authenticate': 'Bearer' }, {}];
    const claims = this.#opaque ? await this.#opaqueClaims(value) : await this.#jwtClaims(value);
    if (request.url.startsWith('/api/dpop')) {
      if (scheme !== 'DPoP' || !claims.cnf?.jkt) return [401, { 'www-authenticate': 'DPoP error="invalid_token"' }, {}];
      if (!(await this.#isProven(request, value, claims.cnf.jkt))) {
        return [
          401,
          { 'www-authenticate': 'DPoP error="use_dpop_nonce", algs="ES256"', 'dpop-nonce': this.#nonce.value },
          {},
        ];
      }
      return [200, { 'dpop-nonce': this.#nonce.value }, { sub: claims.sub }];
    }
    if (scheme !== 'Bearer') throw new Error('wrong scheme');
    return [200, {}, { sub: claims.sub, left: claims.exp - Date.now() / 1000 }];
  }

  async #jwtClaims(value) {
    return (await jwtVerify(value, this.#keys, { issuer: this.#issuer, audience: AUDIENCE, clockTolerance: 0 }))
      .payload;
  }

  async #opaqueClaims(value) {
    const token = (await this.provider.ClientCredentials.find(value)) ?? (await this.provider.AccessToken.find(value));
    if (!token) throw new Error('unknown token');
    return { sub: token.clientId, exp: token.exp, cnf: token.jkt && { jkt: token.jkt } };
  }

  /** False when only the nonce is missing or old: every nonce serves three times. */
  async #isProven(request, value, jkt) {
    const { payload, protectedHeader } = await jwtVerify(request.headers.dpop ?? '', EmbeddedJWK, {
      typ: 'dpop+jwt',
      maxTokenAge: 60,
      clockTolerance: 5,
    });
    const { pathname } = new URL(request.url, this.#issuer);
    const expected = {
      htm: request.method,
      htu: `${this.#issuer}${pathname}`,
      ath: createHash('sha256').update(value).digest('base64url'),
    };
    for (const [claim, wanted] of Object.entries(expected))
      if (payload[claim] !== wanted) throw new Error(`wrong ${claim}`);
    if ((await calculateJwkThumbprint(protectedHeader.jwk)) !== jkt) throw new Error('wrong key');
    if (this.#proofs.has(payload.jti)) throw new Error('proof used twice');
    this.#proofs.add(payload.jti);
    if (payload.nonce !== this.#nonce.value) return false;
    if (++this.#nonce.uses >= 3)
      this.#nonce = { value: `nonce-${++this.#nonce.made}`, uses: 0, made: this.#nonce.made };
    return true;
  }
}
