import OpenAI from 'openai';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const openaiWithToken = (token$: TokenStream, baseURL: string) => {
  const apiKey = async () => (await firstValueFrom(takeToken(token$))).value;
  return new OpenAI({ baseURL, apiKey });
};
