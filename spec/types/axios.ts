import axios, { Axios } from 'axios';
import type { TokenStream } from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';

declare const token$: TokenStream;

class OrdersApi extends Axios {}

// Whatever axios gives: itself, an instance, and what is made of its class.
attachToken(axios, token$);
attachToken(axios.create(), token$);
attachToken(new Axios(), token$);
attachToken(new OrdersApi(), token$);
// @ts-expect-error a class is no instance
attachToken(Axios, token$);
