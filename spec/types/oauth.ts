/** Compiled only: what TypeScript makes of the options of an OAuth source. */
import { expectTypeOf } from 'expect-type';
import { EMPTY, of } from 'rxjs';
import { fileTokenVault, type RefreshTokenOptions, type Supplied } from 'rx-fresh-token/oauth';

// A string, or whatever RxJS reads as one; null for none, as localStorage gives it.
expectTypeOf<string>().toExtend<Supplied>();
expectTypeOf(() => 'r1').toExtend<Supplied>();
expectTypeOf(() => null).toExtend<Supplied>();
expectTypeOf(() => undefined).toExtend<Supplied>();
expectTypeOf((): string | null => localStorage.getItem('refresh_token')).toExtend<Supplied>();
expectTypeOf(() => Promise.resolve<string | null>(null)).toExtend<Supplied>();
expectTypeOf(() => of('r1')).toExtend<Supplied>();
expectTypeOf(() => EMPTY).toExtend<Supplied>();
expectTypeOf(fileTokenVault('/').read).toExtend<Supplied>();
expectTypeOf(() => 7).not.toExtend<Supplied>();
expectTypeOf(() => Promise.resolve(7)).not.toExtend<Supplied>();
expectTypeOf<null>().not.toExtend<Supplied>();

// `reauthenticate` may give an interface of the application's own, which has no index signature.
interface SignedIn {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  user: string;
}
type Reauthenticate = NonNullable<RefreshTokenOptions['reauthenticate']>;
expectTypeOf<() => Promise<SignedIn>>().toExtend<Reauthenticate>();
expectTypeOf<() => Promise<{ token: string }>>().not.toExtend<Reauthenticate>();
