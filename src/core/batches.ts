// Work on many rows in batches small enough not to hold others up.

const batch = 1000

/** Works on batches until one is less than it may be; returns how much all of them did. */
export async function inBatches(work: (limit: number) => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const done = await work(batch)
    total += done
    if (done < batch) return total
  }
}

export const dayMs = 86_400_000
