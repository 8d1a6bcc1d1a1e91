import { fileTokenStore } from '../file/fileTokenStore.js';
import { createTokenStream } from '../token/tokenStream.js';
import type { TokenStream, TokenStreamOptions } from '../token/types.js';
import type { Given } from './options.js';
import { tokenSourceOf } from './tokenSource.js';

/** The stream that the command line describes. @throws UsageError, or what the parts of the library throw */
export function commandStream(given: Given, options?: Pick<TokenStreamOptions, 'maxWait'>): TokenStream {
  const source = tokenSourceOf(given);
  const file = given.text('store');
  return createTokenStream(source, { ...options, store: file === undefined ? undefined : fileTokenStore(file) });
}
