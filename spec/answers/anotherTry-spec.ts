import { isHtml, limitsRate } from '../../src/answers/anotherTry.js';

describe('isHtml', () => {
  it.each<[string, unknown, boolean]>([
    ['a Response', new Response('x', { headers: { 'content-type': 'text/html; charset=utf-8' } }), true],
    ['a page that is XML', new Response('x', { headers: { 'content-type': 'application/xhtml+xml' } }), true],
    ['a page in the body', { response: { data: '\n<!DOCTYPE html>' } }, true],
    ["a page in the body of got's error", { response: { body: '<html>' } }, true],
    ["a page in superagent's error", { response: { text: '<html>' } }, true],
    ['a page in the text of ajax', { response: '<html lang="en">' }, true],
    ['a page in bytes', { response: { body: new TextEncoder().encode('<!-- 403 --><html>') } }, true],
    ["a page in Angular's error", { error: '<h1>Forbidden</h1>' }, true],
    ['XML', { response: { headers: { 'content-type': 'text/xml' }, data: '<ErrorResponse>' } }, false],
    ['XML of no known type', { response: { data: '<?xml version="1.0"?><Error>' } }, false],
    ['a page that says it is JSON', { headers: { 'content-type': 'application/json' }, data: '<html>' }, false],
    ['JSON', new Response('{}', { headers: { 'content-type': 'application/json' } }), false],
    ['JSON that quotes a page', { response: { data: '{"a":"<html>"}' } }, false],
    ['a parsed body', { response: { data: { error: 'x' } } }, false],
    ['an Error', new Error('<html>'), false],
    ['null', null, false],
  ])('should judge %s', (_kind, answer, html) => {
    expect(isHtml(answer)).toBe(html);
  });
});

describe('limitsRate', () => {
  it('should read the headers of whatever carries them', () => {
    expect(limitsRate({ response: { headers: { 'X-RateLimit-Remaining': 0 } } })).toBe(true);
    expect(limitsRate({ headers: { 'x-ratelimit-remaining': 1 } })).toBe(false);
  });
});
