// The kinds of capacity that a promise may be about, in the order in which a refusal names the first that is
// short.

/** Each kind's class in the ledger. */
export const amountClasses = {
  cores: 'VCPU',
  ram: 'MEMORY_MB',
  instances: 'SERVER',
  networks: 'NETWORK',
  ports: 'PORT',
  routers: 'ROUTER',
  subnets: 'SUBNET',
  addresses: 'FLOATING_IP',
  gigabytes: 'GIGABYTES',
  snapshots: 'SNAPSHOT',
  volumes: 'VOLUME',
} as const

export type AmountName = keyof typeof amountClasses

export const amountNames = Object.keys(amountClasses) as readonly AmountName[]

/** An amount of every kind, in whole numbers. */
export type Amounts = Readonly<Record<AmountName, number>>

export const amountsOf = (given: Partial<Amounts>): Amounts =>
  Object.fromEntries(amountNames.map(name => [name, given[name] ?? 0])) as Amounts

export const noAmounts: Amounts = amountsOf({})

export const isNothing = (amounts: Amounts): boolean => amountNames.every(name => amounts[name] === 0)

export const plus = (one: Amounts, other: Amounts): Amounts =>
  amountsOf(Object.fromEntries(amountNames.map(name => [name, one[name] + other[name]])))

export const minus = (one: Amounts, other: Amounts): Amounts =>
  amountsOf(Object.fromEntries(amountNames.map(name => [name, one[name] - other[name]])))
