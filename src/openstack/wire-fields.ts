// A resource's wire form as a table with one line for each field: read into our words, and written back from
// them.
import { z } from 'zod'

/** One field: its name on the wire, how its value is read, and how it is written. */
export interface WireField<T> {
  readonly wire: string
  readonly read: z.ZodType<T>
  write(value: T): unknown
  /** Where the value is an object or a list of objects: the fields of one. */
  readonly inner?: WireFields
}

export type WireFields = Readonly<Record<string, WireField<unknown>>>

/** The type of the objects that a table describes. */
export type Shape<F extends WireFields> = {
  readonly [K in keyof F]: F[K] extends WireField<infer T> ? T : never
}

/** A field whose value is the same on the wire and in our words. */
export const field = <T>(wire: string, read: z.ZodType<T>): WireField<T> => ({
  wire,
  read,
  write: value => value,
})

/** A field that holds a list of objects. */
export const listOf = <F extends WireFields>(wire: string, inner: F): WireField<readonly Shape<F>[]> => ({
  wire,
  read: many(reader(inner)),
  write: values => values.map(value => written(inner, value)),
  inner,
})

/** A list field of an extension: empty in a region that does not have it. */
export const extra = <T>(one: WireField<readonly T[]>): WireField<readonly T[]> => ({
  ...one,
  read: orNull(one.read).transform(values => values ?? []),
})

/** A field that holds an object, or nothing. */
export const maybeOne = <F extends WireFields>(wire: string, inner: F): WireField<Shape<F> | null> => ({
  wire,
  read: orNull(reader(inner)),
  write: value => (value === null ? null : written(inner, value)),
  inner,
})

/** Reads what the wire says, and drops every key that the table does not name. */
export function reader<F extends WireFields>(fields: F): z.ZodType<Shape<F>> {
  const entries = Object.entries(fields)
  const wire = z.object(Object.fromEntries(entries.map(([, one]) => [one.wire, one.read])))
  return wire.transform(
    row => Object.fromEntries(entries.map(([name, one]) => [name, row[one.wire]])) as Shape<F>,
  )
}

/** The wire form of as many fields as `value` has; undefined ones are left out. */
export function written<F extends WireFields>(fields: F, value: Partial<Shape<F>>): Record<string, unknown> {
  const given = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(given.map(([name, one]) => [fields[name]!.wire, fields[name]!.write(one)]))
}

/**
 * A value that may be null or absent, read as null: a region without the extension does not send its fields.
 */
export const orNull = <T>(read: z.ZodType<T>): z.ZodType<T | null> =>
  read.nullish().transform(value => value ?? null)

/** A list; its reading ends at the first bad element, so that a million of them are not a million complaints. */
export const many = <T>(one: z.ZodType<T>): z.ZodType<readonly T[]> =>
  z.array(z.unknown()).transform((values, context) => {
    const read: T[] = []
    for (const [index, value] of values.entries()) {
      const parsed = one.safeParse(value)
      if (!parsed.success) {
        const { path, message } = parsed.error.issues[0]!
        context.issues.push({ code: 'custom', path: [index, ...path], message, input: value })
        return z.NEVER
      }
      read.push(parsed.data)
    }
    return read
  })

/** An id becomes a part of paths and a key of ours, so it must look like one. */
export const isId = (value: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(value)

export const id = z.string().refine(isId, 'not an id')

/** Names, descriptions, addresses: 255 characters by the API; some are longer in practice. */
export const text = z.string().max(1024)

export const count = z.number().int()
export const flag = z.boolean()

/** `2026-11-20T23:53:08Z` */
export const instant = z
  .string()
  .max(40)
  .transform(value => new Date(/Z$|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`))
  .refine(date => !Number.isNaN(date.getTime()), 'not a time')

/** What is wrong with a service's answer, in a few words: the path in it and what was expected there. */
export function problem(error: z.ZodError, name?: string): string {
  const issue = error.issues[0]
  const steps = [...(name ? [name] : []), ...(issue?.path ?? [])]
  const place = steps.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return `${place.slice(place.startsWith('.') ? 1 : 0) || 'its body'}: ${issue?.message}`.slice(0, 300)
}
