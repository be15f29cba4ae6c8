/** Reads of Gumroad at once. Its limits are unknown; so few are no burst. */
const AT_ONCE = 4;

/** Works all of them, a few at a time, and gives the results in their order. */
export async function sideBySide<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}
