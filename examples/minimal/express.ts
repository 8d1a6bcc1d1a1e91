// A service that calls another one with a token of its own. It is ready once it has the first token.
//   TOKEN_URL=… API=https://api.example.com PORT=3000 node --import ./scripts/dist.mjs examples/minimal/express.ts
import express from 'express';
import { firstValueFrom } from 'rxjs';
import { createFetch, createTokenStream, takeToken } from 'rx-fresh-token';

const { TOKEN_URL = '', API = '', PORT = '0' } = process.env;

const token$ = createTokenStream(({ signal }) => fetch(TOKEN_URL, { method: 'POST', signal }));
const fetchWithToken = createFetch(token$, { baseUrl: API });

const app = express();
app.get('/orders', async (_request, response) => {
  const answer = await fetchWithToken('/orders');
  response.status(answer.status).json(await answer.json());
});

await firstValueFrom(takeToken(token$));
const server = app.listen(Number(PORT), '127.0.0.1');
server.once('listening', () => console.log('listening', server.address()));
process.once('SIGTERM', () => server.close(() => token$.close()));
