// A service that calls an API with a token of its own. Each call has a valid token; renewals happen in the background.
//
//   export ISSUER=https://id.example.com CLIENT_ID=orders CLIENT_SECRET=… API=https://api.example.com/orders
//   node --import ./scripts/dist.mjs examples/client-credentials.ts
import { concatMap, finalize, take, timer } from 'rxjs';
import { createHttpClient, createTokenStream } from 'rx-fresh-token';
import { clientCredentials } from 'rx-fresh-token/oauth';

const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', API = '', CALLS = '10', PAUSE = '1000' } = process.env;

const token$ = createTokenStream(
  clientCredentials({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }),
);
token$.events.subscribe((event) => {
  if (event.type === 'tokenChanged')
    console.log('now using', event.token); // it prints redacted
  else console.log(event.type);
});

// The token goes to this origin only.
const http = createHttpClient(token$, { baseUrl: new URL(API).origin });

timer(0, Number(PAUSE))
  .pipe(
    take(Number(CALLS)),
    concatMap(() => http.get(API)),
    finalize(() => token$.close()),
  )
  .subscribe({
    next: (answer) => console.log(answer),
    error: (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  });
