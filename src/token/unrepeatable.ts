import type { Rejection } from './recovery.js';
import type { TokenKeeper } from './tokenKeeper.js';

/**
 * A refusal of a request that cannot be sent again: the refresh happens all the same, and the next call of the resource
 * stands for the repeat.
 */
export function recoverWithoutRepeat({ recover, fruitless }: TokenKeeper, rejection: Rejection): void {
  recover(rejection).subscribe(() => fruitless.repeat(rejection.key));
}
