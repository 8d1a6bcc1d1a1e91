import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { jwtVerify, type JWTVerifyResult } from 'jose';
import { firstValueFrom } from 'rxjs';
import { createTokenStream, takeToken, type TokenSource } from 'rx-fresh-token';
import { runBlock } from '../runBlock.js';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
const page = readFileSync(join(__dirname, '../../docs/oauth.md'), 'utf8');

let folder: string;
let origin: string;
/** What the last request was signed with, and what else it said. */
let last: JWTVerifyResult & { form: Record<string, string>; authorization: string | undefined };
const server = createServer((request, response) => {
  void (async () => {
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET')
      return response.end(JSON.stringify({ issuer: origin, token_endpoint: `${origin}/token` }));
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    const verified = await jwtVerify(form.client_assertion ?? form.assertion ?? '', publicKey);
    last = { ...verified, form, authorization: request.headers.authorization };
    return response.end(JSON.stringify({ access_token: 'T1', token_type: 'Bearer', expires_in: 30 }));
  })().catch((failure: unknown) => {
    response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant', error_description: String(failure) }));
  });
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

/** The token that the source of the block with this text brings. */
async function tokenOf(mark: string): Promise<string> {
  const blocks = [...page.matchAll(/^```ts\n(.*?)\n\n(.*?)^```/gms)];
  const [, imports = '', body = ''] = blocks.find(([block]) => block.includes(mark)) ?? [];
  const code = body.replace(/'(key\.pem|account\.json)'/, `'${folder}/$1'`).replace('https://id.example.com', origin);
  const exported = {} as { source: Promise<TokenSource> };
  runBlock(`${imports}\nexport const source = (async () => {\n${code}\nreturn source;\n})();`, {
    require,
    exports: exported,
  });
  const token$ = createTokenStream(await exported.source);
  const { value } = await firstValueFrom(takeToken(token$));
  token$.close();
  return value;
}

it('should sign with the key of a PEM file, as docs/oauth.md has it', async () => {
  await writeFile(join(folder, 'key.pem'), pem);
  expect(await tokenOf('key.pem')).toBe('T1');
  expect(last.protectedHeader).toEqual({ alg: 'RS256', kid: '2026-01' });
  expect(last.payload).toMatchObject({ iss: 'orders', sub: 'orders', aud: origin });
});

it('should exchange the assertion of a Google service account, as docs/oauth.md has it', async () => {
  const token_uri = `${origin}/token`;
  const account = { client_email: 'a@b.example', client_id: '7', token_uri, private_key: pem, private_key_id: 'k1' };
  await writeFile(join(folder, 'account.json'), JSON.stringify(account));
  expect(await tokenOf('account.json')).toBe('T1');
  expect(last.protectedHeader).toEqual({ alg: 'RS256', kid: 'k1' });
  expect(last.payload).toMatchObject({ iss: 'a@b.example', aud: token_uri });
  expect(last.form).toMatchObject({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_id: '7' });
  expect(last.authorization).toBeUndefined();
});
