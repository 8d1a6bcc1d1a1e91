import { initTRPC, TRPCError } from '@trpc/server';

/** What the server knows of a request: whether its token is accepted. */
export interface Context {
  readonly isAdmitted: () => boolean;
}

const { procedure, router } = initTRPC.context<Context>().create();
const guarded = procedure.use(({ ctx, next }) => {
  if (!ctx.isAdmitted()) throw new TRPCError({ code: 'UNAUTHORIZED' });
  return next();
});

/** The server of the recipe for tRPC. */
export const appRouter = router({
  list: guarded.query(() => ['tea']),
  count: guarded.query(() => 1),
  add: guarded.mutation(() => 'added'),
  ping: procedure.query(() => 'pong'),
  changes: guarded.subscription(async function* () {
    for (const change of ['a', 'b', 'c']) yield await Promise.resolve(change);
  }),
});
export type AppRouter = typeof appRouter;
