/** Decides which hosts are on this machine, where a token may go over plain `http:`. */

/**
 * What is sent to these hosts stays on the machine, unless the platform uses a proxy for it: `http:` will do. Not
 * `*.localhost`: Node asks the network's DNS for it.
 */
export const isLoopback = ({ hostname }: Pick<URL, 'hostname'>): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
