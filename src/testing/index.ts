export type { ApiCall, Tolerance } from './apiRecord.js';
export type { ApiStep } from './apiStep.js';
export type { Credential, Forbidden } from './apiVerdict.js';
export {
  fakeTokenSource,
  type FakeTokenSource,
  type FakeTokenSourceOptions,
  type TokenCall,
  type TokenStep,
} from './fakeTokenSource.js';
export { leaveZone } from './leaveZone.js';
export { memoryTokenStore } from './memoryTokenStore.js';
export { plainError, type PlainError } from './plainError.js';
export { scriptedApi, type ApiResponse, type ScriptedApi, type ScriptedApiOptions } from './scriptedApi.js';
export type { ServerTokenStep } from './serverToken.js';
export {
  startTokenServer,
  type TokenServer,
  type TokenServerCounts,
  type TokenServerOptions,
} from './startTokenServer.js';
export { storeContract, type StoreCheck, type StoreContractOptions, type StoresUnderTest } from './storeContract.js';
export type { TokenFate, TokenRegister } from './tokenLedger.js';
export { EVENT_LETTERS, eventMarbles, tokenMarbles } from './tokenMarbles.js';
export type { TokenNames } from './tokenNames.js';
export { virtualClock, type VirtualClock } from './virtualClock.js';
