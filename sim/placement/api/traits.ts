// Names of traits and resource classes, and the traits and aggregates of providers.

import { isCustom } from '../names.ts'
import { classNotFound, conflict, generationMoved, invalid, notFound } from '../refusals.ts'
import type { Provider } from '../rows.ts'
import {
  type Answer,
  type Asked,
  checkQuery,
  nothing,
  ok,
  providerOf,
  type Routes,
  readInteger,
  readObject,
  readText,
  readTexts,
  readUuid,
} from './asked.ts'

export const nameRoutes: Routes = {
  '/traits': { GET: { rule: 'traits:list', since: 6, answer: listTraits } },
  '/traits/:name': {
    GET: { rule: 'traits:show', since: 6, answer: showTrait },
    PUT: { rule: 'traits:update', since: 6, answer: putTrait },
    DELETE: { rule: 'traits:delete', since: 6, answer: removeTrait },
  },
  '/resource_classes': {
    GET: { rule: 'resource_classes:list', since: 2, answer: listClasses },
    POST: { rule: 'resource_classes:create', since: 2, answer: createClass },
  },
  '/resource_classes/:name': {
    GET: { rule: 'resource_classes:show', since: 2, answer: showClass },
    PUT: { rule: 'resource_classes:update', since: 7, answer: putClass },
    DELETE: { rule: 'resource_classes:delete', since: 2, answer: removeClass },
  },
  '/resource_providers/:uuid/traits': {
    GET: { rule: 'resource_providers:traits:list', since: 6, answer: asked => traitsOf(providerOf(asked)) },
    PUT: { rule: 'resource_providers:traits:update', since: 6, answer: setTraits },
    DELETE: { rule: 'resource_providers:traits:delete', since: 6, answer: clearTraits },
  },
  '/resource_providers/:uuid/aggregates': {
    GET: {
      rule: 'resource_providers:aggregates:list',
      since: 1,
      answer: asked => aggregatesOf(providerOf(asked), asked.minor),
    },
    PUT: { rule: 'resource_providers:aggregates:update', since: 1, answer: setAggregates },
  },
}

const nameOf = ({ params }: Asked): string => params.name ?? ''

function listTraits({ region, query }: Asked): Answer {
  checkQuery(query, name => ['name', 'associated'].includes(name))
  const [way, value = ''] = (query.get('name') ?? 'startswith:').split(/:(.*)/s)
  const associated = query.get('associated')?.toLowerCase()
  if (associated !== undefined && !['true', 'false'].includes(associated)) {
    throw invalid('The query parameter "associated" only accepts "true" or "false"')
  }
  const names = new Set(value.split(','))
  const borne = new Set([...region.providers.values()].flatMap(provider => [...provider.traits]))
  const traits = [...region.traits]
    .filter(name => (way === 'in' ? names.has(name) : name.startsWith(value)))
    .filter(name => associated === undefined || borne.has(name) === (associated === 'true'))
  return ok({ traits })
}

function showTrait(asked: Asked): Answer {
  if (!asked.region.traits.has(nameOf(asked))) throw traitNotFound(nameOf(asked))
  return nothing
}

const traitNotFound = (name: string) => notFound(`No such trait(s): ${name}.`)

function putTrait(asked: Asked): Answer {
  const name = nameOf(asked)
  if (!isCustom(name)) {
    throw invalid(
      'The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix ' +
        '"CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"',
    )
  }
  const isNew = !asked.region.traits.has(name)
  asked.region.traits.add(name)
  return { status: isNew ? 201 : 204, location: `/traits/${name}` }
}

function removeTrait(asked: Asked): Answer {
  if (!asked.region.traits.has(nameOf(asked))) throw traitNotFound(nameOf(asked))
  asked.region.removeTrait(nameOf(asked))
  return nothing
}

const viewClass = (name: string): object => ({
  name,
  links: [{ rel: 'self', href: `/resource_classes/${name}` }],
})

function listClasses({ region }: Asked): Answer {
  return ok({ resource_classes: [...region.classes].map(viewClass) })
}

function checkClassName(name: string): void {
  if (isCustom(name)) return
  throw invalid(`JSON does not validate: '${name}' does not match '^CUSTOM_[A-Z0-9_]+$'`)
}

function createClass({ region, body }: Asked): Answer {
  const name = readText(readObject(body, ['name']).name)
  checkClassName(name)
  if (region.classes.has(name)) throw conflict(`Conflicting resource class already exists: ${name}`)
  region.classes.add(name)
  return { status: 201, location: `/resource_classes/${name}` }
}

function showClass(asked: Asked): Answer {
  if (!asked.region.classes.has(nameOf(asked))) throw notFound(classNotFound(nameOf(asked)))
  return ok(viewClass(nameOf(asked)))
}

function putClass(asked: Asked): Answer {
  const name = nameOf(asked)
  checkClassName(name)
  const isNew = !asked.region.classes.has(name)
  asked.region.classes.add(name)
  return { status: isNew ? 201 : 204, location: `/resource_classes/${name}` }
}

function removeClass(asked: Asked): Answer {
  if (!asked.region.classes.has(nameOf(asked))) throw notFound(classNotFound(nameOf(asked)))
  asked.region.removeClass(nameOf(asked))
  return nothing
}

function traitsOf({ traits, generation }: Provider): Answer {
  return ok({ traits: [...traits], resource_provider_generation: generation })
}

function setTraits(asked: Asked): Answer {
  const { region, body } = asked
  const given = readObject(body, ['resource_provider_generation', 'traits'])
  const generation = readInteger(given.resource_provider_generation)
  const traits = readTexts(given.traits)
  const provider = providerOf(asked)
  if (generation !== provider.generation) throw generationMoved()
  const unknown = traits.filter(name => !region.traits.has(name))
  if (unknown.length > 0) throw invalid(`No such trait ${unknown.join(', ')}`)
  region.setTraits(provider, traits)
  return traitsOf(provider)
}

function clearTraits(asked: Asked): Answer {
  asked.region.setTraits(providerOf(asked), [])
  return nothing
}

function aggregatesOf({ aggregates, generation }: Provider, minor: number): Answer {
  const counted = minor >= 19 ? { resource_provider_generation: generation } : {}
  return ok({ aggregates: [...aggregates], ...counted })
}

function setAggregates(asked: Asked): Answer {
  const { region, body, minor } = asked
  const provider = providerOf(asked)
  if (minor < 19) {
    region.setAggregates(provider, readTexts(body).map(readUuid), false)
    return aggregatesOf(provider, minor)
  }
  const given = readObject(body, ['resource_provider_generation', 'aggregates'])
  const uuids = readTexts(given.aggregates).map(readUuid)
  if (readInteger(given.resource_provider_generation) !== provider.generation) throw generationMoved()
  region.setAggregates(provider, uuids)
  return aggregatesOf(provider, minor)
}
