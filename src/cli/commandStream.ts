import { fileTokenStore } from '../file/fileTokenStore.js';
import { createTokenStream } from '../token/tokenStream.js';
import type { TokenStream, TokenStreamOptions } from '../token/types.js';
import type { ParsedOptions } from './options.js';
import { tokenSourceOf } from './tokenSource.js';

/** The stream that the command line describes. @throws UsageError, or what the parts of the library throw */
export function commandStream(options: ParsedOptions, times: Partial<TokenStreamOptions>): TokenStream {
  const source = tokenSourceOf(options);
  const file = options.text('store');
  return createTokenStream(source, { ...times, store: file === undefined ? undefined : fileTokenStore(file) });
}
