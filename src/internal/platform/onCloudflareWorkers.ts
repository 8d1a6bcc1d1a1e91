/** Decides whether this is Cloudflare Workers, where a request owns what is begun for it. */

export const onCloudflareWorkers = (): boolean =>
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === 'Cloudflare-Workers';
