// One token for all tabs of a browser: one tab fetches, all use it, and a sign-out ends the session in each.
import { createHttpClient, createTokenStream } from 'rx-fresh-token';
import { tabTokenStore } from 'rx-fresh-token/tabs';

const store = tabTokenStore({ name: 'orders' });
const token$ = createTokenStream(({ signal }) => fetch('/session/token', { method: 'POST', signal }), { store });
const http = createHttpClient(token$, { baseUrl: 'https://api.example.com' });

export const orders$ = http.get<readonly { readonly id: number }[]>('/orders');
export const signOut = (): void => token$.signOut();
