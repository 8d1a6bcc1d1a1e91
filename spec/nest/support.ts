import { Controller, Get, Module, Param, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';

const cleanups: (() => unknown)[] = [];

export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** Has it closed after the test. */
export function closing<T extends { close(): unknown }>(resource: T): T {
  cleanups.push(() => resource.close());
  return resource;
}

/** A module class with this metadata. */
export function moduleOf(metadata: ModuleMetadata): Type {
  class TestModule {
    readonly metadata = metadata;
  }
  Module(metadata)(TestModule);
  return TestModule;
}

/**
 * Injects into the parameters of a constructor. Decorators on parameters would need compiler options that no other spec
 * has.
 */
export function inject(target: Type, ...decorators: readonly ParameterDecorator[]): void {
  decorators.forEach((decorator, index) => {
    decorator(target, undefined, index);
  });
}

/** Makes it the controller of `GET /<path>/:id`, which its method `get` answers. */
export function controller(target: Type<{ get(id: string): unknown }>, path: string): Type {
  const prototype = target.prototype as object;
  Controller(path)(target);
  Get(':id')(prototype, 'get', Object.getOwnPropertyDescriptor(prototype, 'get')!);
  Param('id')(prototype, 'get', 0);
  return target;
}

export interface RunningApp {
  readonly app: INestApplication;
  /** Asks the application over HTTP. */
  readonly get: (path: string, headers?: Record<string, string>) => Promise<{ status: number; body: unknown }>;
}

/** A real application, which {@link listen} starts. */
export async function create(metadata: ModuleMetadata): Promise<INestApplication> {
  const module = await Test.createTestingModule(metadata).compile();
  return closing(module.createNestApplication());
}

/** Starts it on a free port of the loopback. */
export async function listen(app: INestApplication): Promise<RunningApp> {
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    get: async (path, headers = {}) => {
      const response = await fetch(url + path, { headers });
      return { status: response.status, body: await response.json() };
    },
  };
}

export const start = async (metadata: ModuleMetadata): Promise<RunningApp> => listen(await create(metadata));
