// Planted into a process before its own program: the timer that cuts off what is still under way never comes.

const drainMs = 5_000
const never = 2 ** 31 - 1
const { setTimeout } = globalThis

globalThis.setTimeout = (work, ms, ...rest) => setTimeout(work, ms === drainMs ? never : ms, ...rest)
