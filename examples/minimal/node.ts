// A script: one call to an API whose tokens live 30 seconds.
//   TOKEN_URL=https://id.example.com/token API=https://api.example.com/orders node --import ./scripts/dist.mjs examples/minimal/node.ts
import { finalize } from 'rxjs';
import { createHttpClient, createTokenStream } from 'rx-fresh-token';

const { TOKEN_URL = '', API = '' } = process.env;

const token$ = createTokenStream(({ signal }) => fetch(TOKEN_URL, { method: 'POST', signal }));
const http = createHttpClient(token$, { baseUrl: new URL(API).origin });

http
  .get(API)
  .pipe(finalize(() => token$.close()))
  .subscribe({
    next: (answer) => console.log(answer),
    error: (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  });
