import type { HttpService } from '@nestjs/axios';
import type { TokenStream } from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';

export const addToken = (token$: TokenStream, http: HttpService, origin: string) => {
  attachToken(http.axiosRef, token$, { allowedOrigins: [origin] });
};
