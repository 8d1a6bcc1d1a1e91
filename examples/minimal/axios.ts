// An axios instance whose requests carry the token.
//   TOKEN_URL=… API=https://api.example.com/orders node --import ./scripts/dist.mjs examples/minimal/axios.ts
import axios from 'axios';
import { createTokenStream } from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';

const { TOKEN_URL = '', API = '' } = process.env;

const token$ = createTokenStream(({ signal }) => fetch(TOKEN_URL, { method: 'POST', signal }));
const client = axios.create({ baseURL: new URL(API).origin });
attachToken(client, token$);

const { data } = await client.get<unknown>(API);
console.log(data);
token$.close();
