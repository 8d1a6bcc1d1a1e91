import { listOf, type OAuthOptions } from './options.js';

/** Form parameters; what is undefined is left out. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** The form of a request; oauth4webapi adds the grant type and the client. An option replaces the parameter of its name. */
export function formOf({ parameters, scope, resource, audience }: OAuthOptions, own: Parameters): URLSearchParams {
  const form = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries({ scope, ...own })) if (value !== undefined) form.set(name, value);
  for (const [name, values] of Object.entries({ resource: listOf(resource), audience: listOf(audience) })) {
    if (values.length > 0) form.delete(name);
    for (const value of values) form.append(name, value);
  }
  return form;
}
