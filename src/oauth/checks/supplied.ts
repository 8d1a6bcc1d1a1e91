/** Reads options that are a text, or a function of the user's that returns one, at once or later. */
import { defaultIfEmpty, of, type ObservableInput } from 'rxjs';
import { permanentError } from '../../answers/permanentError.js';
import { asObservable } from '../../internal/async/observableOf.js';
import { ignoreRejection } from '../../internal/async/ignoreRejection.js';
import { codeOf } from '../../internal/platform/files.js';
import { orAborted, reasonOf } from '../../internal/async/onAbort.js';
import { trimmed, wrongKind } from './textOption.js';

/**
 * A string, or a function that gives the string of the moment; its first value counts. `null`, `undefined` and no value
 * mean that there is none.
 */
export type Supplied = string | (() => ObservableInput<string | null | undefined> | string | null | undefined);

/** Checks an option of that kind. Never quotes it. */
export function checkSupplied(name: string, value: unknown): void {
  if (typeof value !== 'function' && !trimmed(value))
    throw wrongKind(name, trimmed(value) ?? value, 'a string that is not empty, or a function that gives one');
}

/**
 * What the option gives, without white space around it, unless the signal aborts first: then it unsubscribes from what
 * the option gave.
 */
export async function supplied(name: string, option: Supplied, signal: AbortSignal): Promise<string> {
  if (signal.aborted) throw reasonOf(signal);
  const given: unknown = typeof option === 'function' ? option() : option;
  // It may have ended the session, and nobody waits for its promise any more.
  ignoreRejection(given);
  const value = await orAborted(asObservable(given)?.pipe(defaultIfEmpty(undefined)) ?? of(given), signal);
  const text = trimmed(value ?? '');
  if (text) return text;
  const message = `option "${name}" gave no string, or an empty one`;
  throw text === '' ? new NothingSupplied(message) : permanentError(message);
}

/** The option gave no value: null, undefined, an empty string, or nothing. */
export class NothingSupplied extends TypeError {}

/** Whether an option failed because there is no value yet: it gave none, or its file is missing. */
export const isMissing = (failure: unknown): boolean =>
  failure instanceof NothingSupplied || codeOf(failure) === 'ENOENT';
