// Comparing lists that Neutron gives in any order.

/** Whether two lists have the same elements, of which each is known by this text. */
export const sameBy =
  <T>(textOf: (one: T) => string) =>
  (a: readonly T[], b: readonly T[]): boolean => {
    const text = (list: readonly T[]) => list.map(textOf).sort().join()
    return text(a) === text(b)
  }
