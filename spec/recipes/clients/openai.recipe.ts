import OpenAI from 'openai';
import { firstValueFrom } from 'rxjs';
import { createFetch, takeToken, type TokenStream } from 'rx-fresh-token';

export const openaiWithToken = (token$: TokenStream, baseURL: string) => {
  const apiKey = async () => (await firstValueFrom(takeToken(token$))).value;
  return new OpenAI({ baseURL, apiKey });
};

/** Repeats a rejected request. The SDK insists on a key; without its header, `createFetch` sends the token. */
export const openaiByFetch = (token$: TokenStream, baseURL: string) => {
  const fetchWithToken = createFetch(token$, { allowedOrigins: [new URL(baseURL).origin] });
  return new OpenAI({ baseURL, apiKey: 'unused', defaultHeaders: { Authorization: null }, fetch: fetchWithToken });
};
