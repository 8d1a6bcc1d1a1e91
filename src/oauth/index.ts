export { clientCredentials, type ClientCredentialsOptions } from './clientCredentials.js';
export { fileToken } from './fileToken.js';
export { fileTokenVault, type TokenVault } from './fileTokenVault.js';
export { jwtBearer, type JwtBearerOptions } from './jwtBearer.js';
export type { ClientAuthMethod, OAuthOptions } from './options.js';
export { refreshToken, type RefreshTokenOptions, type RotatedTokens } from './refreshToken.js';
export type { Supplied } from './source.js';
export { tokenExchange, type TokenExchangeOptions } from './tokenExchange.js';
