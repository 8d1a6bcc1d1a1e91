// A script that acts for a user who signed in once. Its refresh token is in a file that only its owner can read. The
// server replaces it at each use; the new one is in the file before the new access token is used.
//
//   (umask 077; echo "$REFRESH_TOKEN" > token.json)
//   export ISSUER=https://id.example.com CLIENT_ID=cli TOKEN_FILE=token.json API=https://api.example.com/me
//   node --import ./scripts/dist.mjs examples/refresh-token-file.ts
import { finalize } from 'rxjs';
import { createHttpClient, createTokenStream } from 'rx-fresh-token';
import { fileTokenVault, refreshToken } from 'rx-fresh-token/oauth';

const { ISSUER = '', CLIENT_ID = '', TOKEN_FILE = '', API = '' } = process.env;

const vault = fileTokenVault(TOKEN_FILE);
const token$ = createTokenStream(
  refreshToken({
    issuer: ISSUER,
    clientId: CLIENT_ID,
    clientAuth: 'none',
    refreshToken: vault.read,
    onRotate: vault.write,
  }),
);
token$.events.subscribe((event) => {
  if (event.type === 'refreshFailed') console.error(event.error);
});

createHttpClient(token$, { baseUrl: new URL(API).origin })
  .get(API)
  .pipe(finalize(() => token$.close()))
  .subscribe({
    next: (answer) => console.log(answer),
    error: (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  });
