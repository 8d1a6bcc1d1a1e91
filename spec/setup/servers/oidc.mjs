import { startControl } from '../oidc/control.mjs';

/** Real authorization servers for the specs of `src/oauth`: each spec asks the control URL for one of its own. */
export const start = async () => {
  const control = await startControl();
  return { env: { OIDC_CONTROL_URL: control.url }, stop: control.stop };
};
