export { clientCredentials, type ClientCredentialsOptions } from './clientCredentials.js';
export type { ClientAuthMethod, OAuthOptions } from './options.js';
