// What every answer tells browsers and caches: to guess no type, to run and frame nothing, to keep nothing.

export const guards = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  // Who sees what depends on the token, of which caches know nothing.
  'cache-control': 'no-store',
} as const
