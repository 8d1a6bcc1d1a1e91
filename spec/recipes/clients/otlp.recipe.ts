import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const exporterWithToken = (token$: TokenStream, url: string) => {
  const headers = async () => ({ authorization: `Bearer ${(await firstValueFrom(takeToken(token$))).value}` });
  return new OTLPTraceExporter({ url, headers });
};
