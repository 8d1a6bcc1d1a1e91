import { HttpModule, type HttpService } from '@nestjs/axios';
import type { TokenStream } from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';

/** For `imports`. A bare `HttpModule` has the axios of the whole process: `attachToken` would change that. */
export const httpModule = HttpModule.register({});

export const addToken = (token$: TokenStream, http: HttpService, origin: string) => {
  attachToken(http.axiosRef, token$, { allowedOrigins: [origin] });
};
