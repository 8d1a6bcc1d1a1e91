/** Something the user can mend on the command line or in the input: one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
