// Compiled only.
import { metrics, type Meter } from '@opentelemetry/api';
import { expectTypeOf } from 'expect-type';
import type { Subscription } from 'rxjs';
import type { TokenStream } from 'rx-fresh-token';
import { observeToken, publishToken, type ObserveTokenOptions } from 'rx-fresh-token/otel';

declare const token$: TokenStream;
const meter = metrics.getMeter('orders');
expectTypeOf(observeToken(token$, { meter, name: 'api' })).toEqualTypeOf<Subscription>();
expectTypeOf(publishToken(token$, { name: 'api' })).toEqualTypeOf<Subscription>();
expectTypeOf<ObserveTokenOptions['meter']>().toEqualTypeOf<Meter>();

// @ts-expect-error a name is needed
void observeToken(token$, { meter });
// @ts-expect-error a meter is needed
void observeToken(token$, { name: 'api' });
// @ts-expect-error a name is needed
void publishToken(token$);
