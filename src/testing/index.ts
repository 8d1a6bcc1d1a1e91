/** The entry `rx-fresh-token/testing`: fakes, a test server, marble helpers and the contract of stores. */
export type { ApiResponse } from './api/apiFetch.js';
export type { ApiStep, Credential, Forbidden } from './api/apiJudge.js';
export type { ApiCall, Tolerance } from './api/apiRecord.js';
export type { ScriptedApiOptions } from './api/apiSettings.js';
export { fakeTokenSource, type FakeTokenSource } from './source/fakeTokenSource.js';
export { leaveZone } from './leaveZone.js';
export { memoryTokenStore } from './memoryTokenStore.js';
export { plainError, type PlainError } from './plainError.js';
export { scriptedApi, type ScriptedApi } from './api/scriptedApi.js';
export type { TokenCall } from './source/sourceRecord.js';
export type { FakeTokenSourceOptions, TokenStep } from './source/sourceSettings.js';
export {
  startTokenServer,
  type TokenServer,
  type TokenServerCounts,
  type TokenServerOptions,
} from './server/startTokenServer.js';
export {
  storeContract,
  type StoreCheck,
  type StoreContractOptions,
  type StoresUnderTest,
} from './contract/storeContract.js';
export type { ServerTokenStep } from './server/tokenEndpoint.js';
export type { TokenFate, TokenRegister } from './tokenRegister.js';
export { EVENT_LETTERS, eventMarbles, tokenMarbles } from './tokenMarbles.js';
export type { TokenNames } from './tokenNames.js';
export { virtualClock, type VirtualClock } from './virtualClock.js';
