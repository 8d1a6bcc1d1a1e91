import type { SASLOptions } from 'kafkajs';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const saslWithToken = (token$: TokenStream): SASLOptions => ({
  mechanism: 'oauthbearer',
  oauthBearerProvider: async () => ({ value: (await firstValueFrom(takeToken(token$))).value }),
});
