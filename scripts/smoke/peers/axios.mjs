// An axios instance on the axios that is installed here.
import { deepEqual, equal } from 'node:assert/strict';
import axios from 'axios';
import { createTokenStream } from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';
import { countingSource, refusingApi } from './servers.mjs';

const api = await refusingApi();
const tokens = countingSource();
const token$ = createTokenStream(tokens.source);
const client = axios.create({ baseURL: api.url });
attachToken(client, token$);
const answers = await Promise.all([1, 2, 3].map((n) => client.post(`/orders/${n}`, { n })));
deepEqual(
  answers.map(({ data }) => data.token),
  ['Bearer T2', 'Bearer T2', 'Bearer T2'],
);
equal(tokens.asked(), 2);
token$.close();
await api.close();
console.log(axios.VERSION);
