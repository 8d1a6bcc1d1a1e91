/** The package's index prints a warning on Node 20, where the provider works; the provider itself is quiet. */
declare module 'oidc-provider/lib/provider.js' {
  export { Provider } from 'oidc-provider';
}
