/** A real authorization server of one spec's own; see `spec/setup/oidc`. */
export interface Authority {
  readonly issuer: string;
  /** The private key of the client `key`. */
  readonly clientKey: JsonWebKey;
  /** A refresh token, as if a user had signed in. */
  seed(options?: { clientId?: string; jkt?: string; resources?: readonly string[] }): Promise<string>;
  restart(options: { down: number }): Promise<unknown>;
  stats(): Promise<Stats>;
}

export interface Stats {
  /** Token requests that were granted. */
  readonly tokens: number;
  readonly refused: readonly string[];
  /** Grants that were revoked, because a used refresh token came back. */
  readonly revokedGrants: number;
  readonly revocations: number;
  /** What the resource server answered, by path and status. */
  readonly statuses: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface AuthorityOptions {
  /** Seconds. Default 30. */
  ttl?: number;
  /** Default 'jwt'. */
  format?: 'jwt' | 'opaque';
  /** Whether the token endpoint demands DPoP nonces. */
  nonce?: boolean;
  /** Milliseconds between what the token endpoint does and what it says. */
  delay?: number;
  /** Milliseconds for which a used refresh token is accepted. Default 0: a used one revokes the grant. */
  grace?: number;
  /** Milliseconds by which its clock is ahead. */
  clockOffset?: number;
}

export async function startAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const control = async <T>(path: string, body: object = {}): Promise<T> => {
    const response = await fetch(`${process.env.OIDC_CONTROL_URL ?? ''}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  };
  const { id, issuer, clientKey } = await control<{ id: string; issuer: string; clientKey: JsonWebKey }>('', options);
  return {
    issuer,
    clientKey,
    seed: async (who) => (await control<{ refreshToken: string }>(`/${id}/seed`, who)).refreshToken,
    restart: (how) => control(`/${id}/restart`, how),
    stats: () => control(`/${id}/stats`),
  };
}

/** The options of one of its clients: `basic`, `post`, `app`. */
export const clientOf = ({ issuer }: Pick<Authority, 'issuer'>, clientId: string) => ({
  issuer,
  clientId,
  clientSecret: `secret-of-${clientId}-6f1c`,
});

export const importClientKey = (jwk: JsonWebKey) =>
  crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
