/** Puts another adapter in the place of that of an axios request, whatever the caller's interceptors do. */
import axios, {
  type AxiosAdapter,
  type AxiosRequestTransformer,
  type AxiosStatic,
  type InternalAxiosRequestConfig,
} from 'axios';

/**
 * An interceptor that puts `send` in the place of the adapter. `send` finds the request's own adapter in the config.
 *
 * Interceptors that were added earlier run after this one, and may make a new config or name another adapter. So a
 * transformer, which axios calls after all interceptors, puts `send` there again, and takes itself off the config.
 */
export const replaceAdapter =
  (send: AxiosAdapter, instance: Pick<InstanceType<AxiosStatic['Axios']>, 'defaults'>) =>
  (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => {
    const { transformRequest } = config;
    const sendBy =
      (adapter: InternalAxiosRequestConfig['adapter']): AxiosAdapter =>
      (ready) =>
        send({
          ...ready,
          transformRequest: [ready.transformRequest ?? []].flat().filter((each) => each !== keepAdapter),
          adapter: adapter ?? instance.defaults.adapter ?? axios.defaults.adapter,
        });
    const keepAdapter: AxiosRequestTransformer = function (data: unknown) {
      if (typeof this.adapter !== 'function') this.adapter = sendBy(this.adapter);
      return data;
    };
    return {
      ...config,
      transformRequest: [transformRequest ?? [], keepAdapter].flat(),
      adapter: sendBy(config.adapter),
    };
  };
