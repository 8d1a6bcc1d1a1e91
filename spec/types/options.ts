/**
 * Compiled only: `undefined` means the default, whatever the user's `exactOptionalPropertyTypes`. The flag is on in
 * tsconfig.run.json only: the tests about `undefined` prove nothing without it.
 */
import { expectTypeOf } from 'expect-type';
import type {
  FetchOptions,
  HttpClientOptions,
  HttpRequestInit,
  TakeTokenOptions,
  TokenEndpointErrorInit,
  TokenEvent,
  TokenResponse,
  TokenStore,
  TokenStreamOptions,
  WithTokenOptions,
} from 'rx-fresh-token';
import type { ProvideTokenStreamOptions } from 'rx-fresh-token/angular';
import type { AttachTokenOptions } from 'rx-fresh-token/axios';
import type {
  ClientCredentialsOptions,
  JwtBearerOptions,
  OAuthOptions,
  RefreshTokenOptions,
  TokenExchangeOptions,
} from 'rx-fresh-token/oauth';
import type { EncryptionKey, RedisTokenStoreOptions, StreamingCredentialsOptions } from 'rx-fresh-token/redis';
import type { TabTokenStoreOptions } from 'rx-fresh-token/tabs';
import type {
  FakeTokenSourceOptions,
  ScriptedApiOptions,
  StoreContractOptions,
  TokenServerOptions,
} from 'rx-fresh-token/testing';

/** The optional members of T that have a name, each `undefined`. */
type Unset<T> = Record<OptionalKey<T>, undefined>;
type OptionalKey<T> = keyof { [K in keyof T as string extends K ? never : object extends Pick<T, K> ? K : never]: K };

expectTypeOf<Unset<TokenStreamOptions>>().toExtend<TokenStreamOptions>();
expectTypeOf<Unset<NonNullable<TokenStreamOptions['backoff']>>>().toExtend<TokenStreamOptions['backoff']>();
expectTypeOf<Unset<NonNullable<TokenStreamOptions['rejectionBudget']>>>().toExtend<
  TokenStreamOptions['rejectionBudget']
>();
expectTypeOf<Unset<TakeTokenOptions>>().toExtend<TakeTokenOptions>();
expectTypeOf<Unset<WithTokenOptions>>().toExtend<WithTokenOptions>();
expectTypeOf<Unset<FetchOptions>>().toExtend<FetchOptions>();
expectTypeOf<Unset<HttpClientOptions>>().toExtend<HttpClientOptions>();
expectTypeOf<{ timeout: undefined }>().toExtend<HttpRequestInit>();
expectTypeOf<Unset<TokenEndpointErrorInit>>().toExtend<TokenEndpointErrorInit>();
expectTypeOf<Unset<TokenResponse> & { access_token: string }>().toExtend<TokenResponse>();
expectTypeOf<Unset<TokenStore> & Pick<TokenStore, 'refresh'>>().toExtend<
  Pick<TokenStore, 'refresh' | 'changes' | 'signedOut'>
>();
expectTypeOf<Unset<ProvideTokenStreamOptions>>().toExtend<Partial<ProvideTokenStreamOptions>>();
expectTypeOf<Unset<AttachTokenOptions>>().toExtend<Partial<AttachTokenOptions>>();
expectTypeOf<Unset<OAuthOptions>>().toExtend<Partial<OAuthOptions>>();
expectTypeOf<Unset<ClientCredentialsOptions>>().toExtend<Partial<ClientCredentialsOptions>>();
expectTypeOf<Unset<JwtBearerOptions>>().toExtend<Partial<JwtBearerOptions>>();
expectTypeOf<Unset<RefreshTokenOptions>>().toExtend<Partial<RefreshTokenOptions>>();
expectTypeOf<Unset<TokenExchangeOptions>>().toExtend<Partial<TokenExchangeOptions>>();
expectTypeOf<Unset<RedisTokenStoreOptions>>().toExtend<Partial<RedisTokenStoreOptions>>();
expectTypeOf<Unset<StreamingCredentialsOptions>>().toExtend<Partial<StreamingCredentialsOptions>>();
expectTypeOf<Unset<TabTokenStoreOptions>>().toExtend<Partial<TabTokenStoreOptions>>();
expectTypeOf<Unset<FakeTokenSourceOptions>>().toExtend<FakeTokenSourceOptions>();
expectTypeOf<Unset<ScriptedApiOptions<unknown>>>().toExtend<Partial<ScriptedApiOptions<unknown>>>();
expectTypeOf<Unset<StoreContractOptions>>().toExtend<Partial<StoreContractOptions>>();
expectTypeOf<Unset<TokenServerOptions>>().toExtend<TokenServerOptions>();

// ---- derived types are those of the platform

expectTypeOf<HttpClientOptions['headers']>().toEqualTypeOf<RequestInit['headers'] | undefined>();
expectTypeOf<CryptoKey>().toExtend<EncryptionKey['key']>();
expectTypeOf<CryptoKey>().toExtend<OAuthOptions['privateKey']>();
expectTypeOf<CryptoKeyPair>().toExtend<OAuthOptions['dpop']>();
expectTypeOf<Headers>().toExtend<HttpClientOptions['headers']>();

// ---- one kind of event, with its time

expectTypeOf<Extract<TokenEvent, { type: 'refreshFailed' }>>().toHaveProperty('at').toBeNumber();
expectTypeOf<Extract<TokenEvent, { type: 'tokenChanged' }>['origin']>().toEqualTypeOf<
  'fetched' | 'shared' | 'initial'
>();
