// The browser has a cookie, the server has the tokens. docs/sessions.md has Redis in place of the map, for several processes.
//   TOKEN_URL=… CLIENT_SECRET=… SIGN_IN_URL=… API=… PORT=3000 node --import ./scripts/dist.mjs examples/minimal/sessions.ts
import { randomUUID } from 'node:crypto';
import express, { type Request } from 'express';
import { createFetch } from 'rx-fresh-token';
import { refreshToken } from 'rx-fresh-token/oauth';
import { createTokenPool } from 'rx-fresh-token/pool';

const { TOKEN_URL = '', SIGN_IN_URL = '', API = '', PORT = '0', CLIENT_SECRET = '' } = process.env;

/** The refresh token of each session, by the id in the cookie. */
const sessions = new Map<string, string>();
const sessionOf = ({ headers }: Request) => /(?:^|;\s*)session=([\w-]+)/.exec(headers.cookie ?? '')?.[1] ?? '';
const tokens = createTokenPool((session: string) => {
  const client = { tokenEndpoint: TOKEN_URL, clientId: 'portal', clientSecret: CLIENT_SECRET };
  const onRotate = (rotated: { refresh_token: string }) => void sessions.set(session, rotated.refresh_token);
  const reauthenticate = () => {
    sessions.delete(session); // the refresh token is not valid any more: the browser is sent to the sign-in
    throw Object.assign(new Error('the user must sign in again'), { status: 401 });
  };
  return refreshToken({ ...client, refreshToken: () => sessions.get(session) ?? null, onRotate, reauthenticate });
});

const app = express();
app.post('/sign-in', async (_request, response) => {
  // In place of this: your OpenID Connect library, which ends with a refresh token too.
  const signedIn = (await (await fetch(SIGN_IN_URL, { method: 'POST' })).json()) as { refresh_token: string };
  const session = randomUUID();
  sessions.set(session, signedIn.refresh_token);
  response.cookie('session', session, { httpOnly: true, secure: true, sameSite: 'strict' }).sendStatus(204);
});
app.get('/orders', async (request, response) => {
  const session = sessionOf(request);
  const send = () => createFetch(tokens.get(session), { baseUrl: API })('/orders');
  const answer = sessions.has(session) ? await send().catch(() => null) : null;
  // If the session ended meanwhile, there is no answer, or the 401 of the API.
  if (!sessions.has(session)) return void response.clearCookie('session').sendStatus(401);
  if (!answer) return void response.sendStatus(503);
  response.status(answer.status).json(await answer.json());
});
app.post('/sign-out', (request, response) => {
  tokens.delete(sessionOf(request), { signOut: true });
  sessions.delete(sessionOf(request));
  response.clearCookie('session').sendStatus(204);
});
const server = app.listen(Number(PORT), '127.0.0.1');
server.once('listening', () => console.log('listening', server.address()));
process.once('SIGTERM', () => server.close(() => tokens.close()));
