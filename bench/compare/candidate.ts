/** Where a package finds the token endpoint and the API. */
export interface Target {
  readonly origin: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Sends requests with a token, by one package. */
export interface Client {
  /** Resolves to the status that the caller sees, or rejects as the package does. */
  get(path: string): Promise<number>;
  close?(): void;
}

/** A package that is compared, used as its documentation shows. */
export interface Candidate {
  /** With its version, as the table shows it. */
  readonly name: string;
  connect(target: Target): Client | Promise<Client>;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
}

/** One token by the client credentials grant: for the packages that leave this request to their user. */
export async function fetchToken({ tokenUrl, clientId, clientSecret }: Target): Promise<TokenAnswer> {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}`);
  return (await response.json()) as TokenAnswer;
}

/** One request with a token, for the packages that leave this request to their user. Resolves to its status. */
export async function getWith(token: string, url: string): Promise<number> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return response.status;
}

export const isRefused = (status: number): boolean => status === 401 || status === 403;
