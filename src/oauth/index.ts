/** The entry `rx-fresh-token/oauth`: token sources for the OAuth grants, and files that hold tokens. */
export { clientCredentials, type ClientCredentialsOptions } from './clientCredentials.js';
export { fileToken } from './fileToken.js';
export { fileTokenVault, type TokenVault } from './fileTokenVault.js';
export { jwtBearer, type JwtBearerOptions } from './jwtBearer.js';
export type { ClientAuthMethod, OAuthOptions, RefreshTokenOptions, RotatedTokens } from './options.js';
export { refreshToken } from './refreshToken.js';
export type { Supplied } from './checks/supplied.js';
export { tokenExchange, type TokenExchangeOptions } from './tokenExchange.js';
