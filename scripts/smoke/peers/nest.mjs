// The HttpService of a Nest application, on the Nest that is installed here.
import 'reflect-metadata';
import { deepEqual, equal } from 'node:assert/strict';
import { createRequire } from 'node:module';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import { getTokenHttpToken, TokenModule } from 'rx-fresh-token/nest';
import { countingSource, refusingApi } from './servers.mjs';

const api = await refusingApi();
const tokens = countingSource();
const module = TokenModule.forRoot({ source: tokens.source, axios: { baseURL: api.url } });
const app = await NestFactory.createApplicationContext(module, { logger: ['error'] });
const http = app.get(getTokenHttpToken());
const answers = await Promise.all([1, 2, 3].map((n) => firstValueFrom(http.get(`/orders/${n}`))));
deepEqual(
  answers.map(({ data }) => data.token),
  ['Bearer T2', 'Bearer T2', 'Bearer T2'],
);
equal(tokens.asked(), 2);
await app.close();
await api.close();
console.log(createRequire(import.meta.url)('@nestjs/core/package.json').version);
