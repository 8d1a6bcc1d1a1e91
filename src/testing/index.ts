/** The entry `rx-fresh-token/testing`: fakes, a test server, marble helpers and the contract of stores. */
export type { ApiResponse } from './apiFetch.js';
export type { ApiStep, Credential, Forbidden } from './apiJudge.js';
export type { ApiCall, Tolerance } from './apiRecord.js';
export type { ScriptedApiOptions } from './apiSettings.js';
export { fakeTokenSource, type FakeTokenSource } from './fakeTokenSource.js';
export { leaveZone } from './leaveZone.js';
export { memoryTokenStore } from './memoryTokenStore.js';
export { plainError, type PlainError } from './plainError.js';
export { scriptedApi, type ScriptedApi } from './scriptedApi.js';
export type { TokenCall } from './sourceRecord.js';
export type { FakeTokenSourceOptions, TokenStep } from './sourceSettings.js';
export {
  startTokenServer,
  type TokenServer,
  type TokenServerCounts,
  type TokenServerOptions,
} from './startTokenServer.js';
export { storeContract, type StoreCheck, type StoreContractOptions, type StoresUnderTest } from './storeContract.js';
export type { ServerTokenStep } from './tokenEndpoint.js';
export type { TokenFate, TokenRegister } from './tokenRegister.js';
export { EVENT_LETTERS, eventMarbles, tokenMarbles } from './tokenMarbles.js';
export type { TokenNames } from './tokenNames.js';
export { virtualClock, type VirtualClock } from './virtualClock.js';
