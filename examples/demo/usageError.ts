import { explain } from './explain.js';

/** Something the user can mend on the command line or in the input: one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A setting as it is typed on the command line. */
export const spelled = (name: string): string =>
  name === 'clientSecret'
    ? '--client-secret-env'
    : `--${name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;

/** What the library refuses at creation, such as http: to another machine, is a mistake on the command line. */
export function orUsageError<T>(create: () => T): T {
  try {
    return create();
  } catch (error) {
    throw new UsageError(
      explain(error)
        .replace(/\boption "(\w+)"/g, (_, name: string) => spelled(name))
        // The command line has no flag for it.
        .replace(', unless allowInsecureRequests is true', ''),
    );
  }
}
