declare module 'kafkajs/src/broker/saslAuthenticator/oauthBearer.js' {
  import type { SASLOptions } from 'kafkajs';
  const authenticator: (sasl: SASLOptions) => (connection: object) => { authenticate: () => Promise<void> };
  export default authenticator;
}
