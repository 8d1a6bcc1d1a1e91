import { Pool, type PoolConfig } from 'pg';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const poolWithToken = (token$: TokenStream, config: PoolConfig) => {
  const password = async () => (await firstValueFrom(takeToken(token$))).value;
  return new Pool({ maxLifetimeSeconds: 900, ...config, password });
};
