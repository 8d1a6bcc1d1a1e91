import type * as Axios from 'axios';
import { of } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';

const isOld = jest.fn(() => false);

// Axios before 1.5 has no `getAdapter`.
jest.mock('axios', () => {
  const actual = jest.requireActual<typeof Axios>('axios');
  const { getAdapter } = actual;
  return Object.defineProperty({ ...actual }, 'getAdapter', { get: () => (isOld() ? undefined : getAdapter) });
});

const needs = new TypeError('attachToken needs an instance of axios 1.5 or later');
const token$ = createTokenStream(() => of({ access_token: 'T1' }));
const { default: axios } = jest.requireActual<typeof Axios>('axios');
afterEach(() => isOld.mockReset());
afterAll(() => {
  token$.close();
});

it('should say which axios it needs, when it is attached to an older one', () => {
  isOld.mockReturnValue(true);
  expect(() => attachToken(axios.create(), token$)).toThrow(needs);
});

// Two copies of axios: that of this library is new. The managers of interceptors have had `clear` since axios 1.0.
it('should say so, when it is attached to an instance of axios 0', () => {
  const instance = axios.create();
  for (const each of Object.values(instance.interceptors)) Object.defineProperty(each, 'clear', { value: undefined });
  expect(() => attachToken(instance, token$)).toThrow(needs);
});

it('should take the mock of a unit test, which has what it needs alone, also in the place of the whole package', () => {
  isOld.mockReturnValue(true);
  const request = { use: () => 0, eject: () => undefined };
  const mock = { defaults: { baseURL: 'https://api.example.com' }, interceptors: { request, response: request } };
  expect(() => {
    attachToken(mock as unknown as Axios.AxiosInstance, token$)();
  }).not.toThrow();
});

it('should take an instance of another copy of axios 1', () => {
  const { default: other } = jest.requireActual<typeof Axios>('axios-1.5');
  expect(() => attachToken(other.create({ baseURL: 'https://api.example.com' }), token$)).not.toThrow();
});
