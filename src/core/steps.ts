// Work on many rows in steps small enough not to hold others up.

const batch = 1000

/** Takes steps until one does less than it may; returns how much all of them did. */
export async function inSteps(step: (limit: number) => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const done = await step(batch)
    total += done
    if (done < batch) return total
  }
}

export const dayMs = 86_400_000
