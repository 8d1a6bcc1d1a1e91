/** Compiled only: what TypeScript makes of the options of an OAuth source. */
import { expectTypeOf } from 'expect-type';
import { EMPTY, of } from 'rxjs';
import { fileTokenVault, type Supplied } from 'rx-fresh-token/oauth';

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
