// One long conversation with a Keystone, told to the simulated and to a real one; what they answer is compared.

import { type Answer, type Call, createConversation, type Reply } from './conversation.ts'

const domain = { id: 'default' }
const project = (name: string) => ({ project: { name, domain } })
const password = (user: object, scope?: unknown) => ({
  auth: {
    identity: { methods: ['password'], password: { user } },
    ...(scope === undefined ? {} : { scope }),
  },
})
const credential = (body: object, scope?: unknown) => ({
  auth: {
    identity: { methods: ['application_credential'], application_credential: body },
    ...(scope === undefined ? {} : { scope }),
  },
})

/** Speaks to the Keystone at `authUrl` as its admin, makes things called `witness-*`, and removes them. */
export async function converse(authUrl: string, adminPassword: string): Promise<Answer[]> {
  const { call, answers } = createConversation(authUrl)
  const login = (label: string, body: unknown) => call(label, 'POST', '/auth/tokens?nocatalog', { body })
  const asAdmin = password({ name: 'admin', domain, password: adminPassword }, project('admin'))
  const { token: admin } = await call('admin', 'POST', '/auth/tokens', { body: asAdmin, note: 'keys' })
  const talk = { call, login, admin }

  await call('versions', 'GET', '/../')
  await call('version', 'GET', '/')
  const made = await makeUserAndProject(talk)
  await authenticate(talk, made)
  await validateTokens(talk, made)
  await readAsUser(talk, made)
  await credentials(talk, made)
  await catalog(talk)
  await collections(talk, made)
  await invalidation(talk, made)
  return answers
}

interface Talk {
  call: Call
  login(label: string, body: unknown): Promise<Reply>
  admin: string
}

interface Made {
  userId: string
  projectId: string
  roleId: (name: string) => string
}

async function makeUserAndProject({ call, admin: token }: Talk): Promise<Made> {
  const user = { name: 'witness-user', password: 'pearl', email: 'w@example.org', domain_id: 'default' }
  const made = await call('create user', 'POST', '/users', { token, body: { user } })
  await call('same name again', 'POST', '/users', { token, body: { user } })
  const body = { project: { name: 'witness-project', description: 'a witness', domain_id: 'default' } }
  const madeProject = await call('create project', 'POST', '/projects', { token, body })
  await call('same name again', 'POST', '/projects', { token, body })
  const userId = made.json.user.id as string
  const projectId = madeProject.json.project.id as string

  const { json } = await call('roles', 'GET', '/roles', { token, note: 'keys' })
  const roleId = (name: string) =>
    json.roles.find((role: { name: string }) => role.name === name).id as string
  const grant = `/projects/${projectId}/users/${userId}/roles/${roleId('member')}`
  await call('no grant yet', 'HEAD', grant, { token })
  await call('no grant yet', 'GET', grant, { token })
  await call('no grant yet', 'DELETE', grant, { token })
  await call('grant', 'PUT', grant, { token })
  await call('grant again', 'PUT', grant, { token })
  await call('granted', 'HEAD', grant, { token })
  await call('granted', 'GET', grant, { token })
  await call('grants', 'GET', `/projects/${projectId}/users/${userId}/roles`, { token })
  for (const path of [
    `/projects/nope/users/${userId}/roles/${roleId('member')}`,
    `/projects/${projectId}/users/nope/roles/${roleId('member')}`,
    `/projects/${projectId}/users/${userId}/roles/nope`,
  ]) {
    await call('grant of what is not', 'PUT', path, { token })
  }
  await call('its projects', 'GET', `/users/${userId}/projects`, { token })
  for (const query of ['', '&include_names=true', '&effective=true', '&effective=true&include_names=true']) {
    await call('assignments', 'GET', `/role_assignments?user.id=${userId}${query}`, { token })
  }
  await call('assignments', 'GET', `/role_assignments?scope.project.id=${projectId}`, { token })
  await call('assignments', 'GET', `/role_assignments?user.id=${userId}&role.id=${roleId('admin')}`, {
    token,
  })
  await call('assignments', 'GET', '/role_assignments?scope.system=all', { token, note: 'keys' })
  return { userId, projectId, roleId }
}

async function authenticate({ login, call }: Talk, { userId, projectId }: Made): Promise<void> {
  const user = { name: 'witness-user', domain, password: 'pearl' }
  const here = { project: { id: projectId } }
  const bodies: [string, unknown][] = [
    ['by name', password(user, project('witness-project'))],
    ['by id', password({ id: userId, password: 'pearl' }, here)],
    ['domain by name', password({ ...user, domain: { name: 'Default' } }, here)],
    ['no scope, no default project', password(user)],
    ['unscoped', password(user, 'unscoped')],
    ['unscoped, the old way', password(user, { unscoped: {} })],
    ['wrong password', password({ ...user, password: 'x' }, here)],
    ['no password', password({ id: userId }, here)],
    ['unknown user', password({ ...user, name: 'nobody' }, here)],
    ['unknown user id', password({ id: 'nobody', password: 'x' }, here)],
    ['unknown domain', password({ ...user, domain: { id: 'nowhere' } }, here)],
    ['no domain', password({ name: 'witness-user', password: 'pearl' }, here)],
    ['unknown project', password(user, project('nowhere'))],
    ['project without a role', password(user, project('admin'))],
    ['project name without a domain', password(user, { project: { name: 'witness-project' } })],
    ['system without a role', password(user, { system: { all: true } })],
    ['domain without a role', password(user, { domain: { id: 'default' } })],
    ['empty scope', password(user, {})],
    ['two scopes', password(user, { ...here, domain: { id: 'default' } })],
    ['empty project', password(user, { project: {} })],
    ['scope is a number', password(user, 3)],
    ['nothing', undefined],
    ['empty', {}],
    ['auth is null', { auth: null }],
    ['auth is empty', { auth: {} }],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['no methods', { auth: { identity: {} } }],
    ['methods is a text', { auth: { identity: { methods: 'password' } } }],
    ['no method', { auth: { identity: { methods: [] } } }],
    ['unknown method', { auth: { identity: { methods: ['magic'], magic: {} } } }],
    ['method without its part', { auth: { identity: { methods: ['password'] } } }],
    ['password without a user', { auth: { identity: { methods: ['password'], password: {} } } }],
    ['user without a name', password({ password: 'x' })],
    ['password is a number', password({ id: 'x', password: 1 })],
    ['unknown token', { auth: { identity: { methods: ['token'], token: { id: 'x' } } } }],
    ['token without an id', { auth: { identity: { methods: ['token'], token: {} } } }],
  ]
  for (const [label, body] of bodies) await login(label, body)
  const { token } = await login('to go on from', password(user, here))
  const by = { auth: { identity: { methods: ['token'], token: { id: token } }, scope: here } }
  const { token: second } = await login('by token', by)
  await login('by token of a token', {
    auth: { ...by.auth, identity: { methods: ['token'], token: { id: second } } },
  })
  await call('with a catalog', 'POST', '/auth/tokens', { body: password(user, here), note: 'keys' })
}

async function validateTokens({ call, login, admin }: Talk, { projectId }: Made): Promise<void> {
  const user = { name: 'witness-user', domain, password: 'pearl' }
  const { token: mine } = await login('mine', password(user, { project: { id: projectId } }))
  const { token: other } = await login('unscoped', password(user, 'unscoped'))
  const validate = (label: string, method: string, token: string | undefined, subject: string | undefined) =>
    call(label, method, '/auth/tokens?nocatalog', {
      token,
      headers: subject === undefined ? {} : { 'x-subject-token': subject },
    })
  for (const method of ['GET', 'HEAD']) {
    await validate('by an admin', method, admin, mine)
    await validate('by itself', method, mine, mine)
    await validate('another of the same user', method, mine, other)
    await validate('of an admin, by a user', method, mine, admin)
    await validate('unknown', method, admin, 'nope')
    await validate('none', method, admin, undefined)
    await validate('none, by a user', method, mine, undefined)
    await validate('by an unknown token', method, 'nope', mine)
    await validate('by no token', method, undefined, mine)
  }
  await call('with a catalog', 'GET', '/auth/tokens', {
    token: admin,
    headers: { 'x-subject-token': mine },
    note: 'keys',
  })
  await validate('revoke of an admin, by a user', 'DELETE', mine, admin)
  await validate('revoke', 'DELETE', mine, other)
  await validate('revoked', 'GET', admin, other)
  await validate('revoke again', 'DELETE', mine, other)
  await call('use of a revoked token', 'GET', '/auth/projects', { token: other })
}

async function readAsUser({ call, login, admin }: Talk, { userId, projectId, roleId }: Made): Promise<void> {
  const user = { name: 'witness-user', domain, password: 'pearl' }
  const { token } = await login('in project', password(user, { project: { id: projectId } }))
  const { token: unscoped } = await login('unscoped', password(user, 'unscoped'))
  const collections = [
    'users',
    'projects',
    'domains',
    'roles',
    'regions',
    'services',
    'endpoints',
    'role_assignments',
  ]
  for (const name of collections) await call('user lists', 'GET', `/${name}`, { token, note: 'keys' })
  for (const name of collections)
    await call('admin lists', 'GET', `/${name}`, {
      token: admin,
      note: name === 'users' ? 'nothing' : 'keys',
    })
  for (const path of [
    `/users/${userId}`,
    `/projects/${projectId}`,
    `/users/${userId}/projects`,
    `/users/${userId}/application_credentials`,
    `/users/${userId}/access_rules`,
    '/users/nope',
    '/users/nope/projects',
    '/users/nope/application_credentials',
    '/users/nope/access_rules',
    '/projects/nope',
    '/domains/default',
    '/domains/nope',
    '/regions/nope',
    '/roles/nope',
    '/services/nope',
    '/endpoints/nope',
    `/roles/${roleId('member')}`,
    '/auth/projects',
    '/auth/domains',
    '/auth/system',
    `/projects/${projectId}/users/${userId}/roles`,
  ]) {
    await call('user reads', 'GET', path, { token })
    await call('admin reads', 'GET', path, {
      token: admin,
      ...(path.startsWith('/auth') ? { note: 'keys' } : {}),
    })
    await call('unscoped reads', 'GET', path, { token: unscoped })
  }
  await call('catalog', 'GET', '/auth/catalog', { token, note: 'keys' })
  await call('catalog, unscoped', 'GET', '/auth/catalog', { token: unscoped })
  await call('nobody reads', 'GET', '/users', {})
  await call('nobody reads', 'GET', '/users', { token: 'nope' })
  await call('user writes', 'POST', '/users', { token, body: { user: { name: 'x' } } })
  await call('user writes', 'POST', '/users', { token, body: {} })
  await call('user writes', 'PATCH', `/users/${userId}`, { token, body: { user: { name: 'x' } } })
  await call('user writes', 'PATCH', '/users/nope', { token, body: { user: { name: 'x' } } })
  await call('user writes', 'DELETE', `/users/${userId}`, { token })
  await call('user writes', 'DELETE', `/projects/${projectId}`, { token })
  await call('user writes', 'PUT', `/projects/${projectId}/users/${userId}/roles/${roleId('admin')}`, {
    token,
  })
  for (const name of ['users', 'projects', 'domains', 'roles', 'regions', 'services', 'endpoints']) {
    const body = { [name.slice(0, -1)]: {} }
    await call('user changes what is not', 'PATCH', `/${name}/nope`, { token, body })
    await call('user deletes what is not', 'DELETE', `/${name}/nope`, { token })
  }
  await call('no such path', 'GET', '/nosuch', { token })
}

async function credentials({ call, login, admin }: Talk, { userId, projectId, roleId }: Made): Promise<void> {
  const user = { name: 'witness-user', domain, password: 'pearl' }
  const { token } = await login('mine', password(user, { project: { id: projectId } }))
  const path = `/users/${userId}/application_credentials`
  const make = (label: string, body: object, by = token) =>
    call(label, 'POST', path, { token: by, body: { application_credential: body } })

  const plain = await make('create', { name: 'plain' })
  await make('same name again', { name: 'plain' })
  const full = await make('create in full', {
    name: 'full',
    secret: 'shell',
    description: 'in full',
    expires_at: '2099-01-01T00:00:00.000000Z',
    roles: [{ name: 'reader' }],
    unrestricted: true,
  })
  const rules = [
    { path: '/v1.0/pods', method: 'GET', service: 'tricircle' },
    { path: '/v2.0/**', method: 'POST', service: 'network' },
  ]
  const ruled = await make('create with access rules', { name: 'ruled', access_rules: rules })
  await make('with a known rule', {
    name: 'ruled-too',
    access_rules: [{ id: ruled.json.application_credential.access_rules[0].id }],
  })
  await make('with a bad method', {
    name: 'x',
    access_rules: [{ path: '/', method: 'DANCE', service: 'network' }],
  })
  await make('with a role not held', { name: 'x', roles: [{ id: roleId('admin') }] })
  await make('with an unknown role', { name: 'x', roles: [{ id: 'nope' }] })
  await make('with a role of no name', { name: 'x', roles: [{}] })
  await make('expired already', { name: 'x', expires_at: '2001-01-01T00:00:00.000000Z' })
  await make('with a bad time', { name: 'x', expires_at: 'tomorrow' })
  await make('without a name', {})
  await make('by an admin', { name: 'x' }, admin)
  await call('list', 'GET', path, { token })
  await call('list by name', 'GET', `${path}?name=full`, { token })
  await call('list by an admin', 'GET', path, { token: admin, note: 'keys' })
  await call('show', 'GET', `${path}/${plain.json.application_credential.id}`, { token })
  await call('show what is not', 'GET', `${path}/nope`, { token })
  await call('rules', 'GET', `/users/${userId}/access_rules`, { token, note: 'keys' })
  const ruleId = ruled.json.application_credential.access_rules[0].id
  await call('rule', 'GET', `/users/${userId}/access_rules/${ruleId}`, { token })
  await call('rule in use', 'DELETE', `/users/${userId}/access_rules/${ruleId}`, { token })
  await call('rule that is not', 'DELETE', `/users/${userId}/access_rules/nope`, { token })

  await credentialTokens({ call, login, admin }, { path, plain, full, ruled })
  for (const one of [plain, full, ruled]) {
    await call('delete', 'DELETE', `${path}/${one.json.application_credential.id}`, { token })
  }
  await call('delete again', 'DELETE', `${path}/${plain.json.application_credential.id}`, { token })
}

async function credentialTokens(
  { call, login, admin }: Talk,
  { path, plain, full, ruled }: { path: string; plain: Reply; full: Reply; ruled: Reply },
): Promise<void> {
  const key = (made: Reply) => {
    const { id, secret } = made.json.application_credential
    return { id, secret }
  }
  const { token: byPlain } = await login('with it', credential(key(plain)))
  const { token: byFull } = await login('with the full one', credential(key(full)))
  await login(
    'by name',
    credential({ name: 'full', secret: 'shell', user: { name: 'witness-user', domain } }),
  )
  await login('wrong secret', credential({ ...key(full), secret: 'x' }))
  await login('no secret', credential({ id: key(full).id }))
  await login('unknown', credential({ id: 'nope', secret: 'x' }))
  await login(
    'unknown name',
    credential({ name: 'nope', secret: 'x', user: { name: 'witness-user', domain } }),
  )
  await login('name without a user', credential({ name: 'full', secret: 'shell' }))
  await login('neither id nor name', credential({ secret: 'shell' }))
  await login('with a scope', credential(key(full), project('witness-project')))
  const { token: byRuled } = await login('with the ruled one', credential(key(ruled)))

  const validate = (label: string, subject: string, headers: Record<string, string> = {}) =>
    call(label, 'GET', '/auth/tokens?nocatalog', {
      token: admin,
      headers: { 'x-subject-token': subject, ...headers },
    })
  await validate('one without rules', byPlain)
  await validate('one with rules, by who knows no rules', byRuled)
  await validate('one with rules, by who knows rules', byRuled, { 'openstack-identity-access-rules': '1.0' })
  await validate('one with rules, by who knows little', byRuled, { 'openstack-identity-access-rules': '0.5' })
  await call('one with rules, on Keystone itself', 'GET', '/auth/projects', { token: byRuled })
  await call('one without rules, on Keystone itself', 'GET', '/auth/projects', { token: byPlain })
  const another = { application_credential: { name: 'another' } }
  await call('a restricted one makes another', 'POST', path, { token: byPlain, body: another })
  const made = await call('an unrestricted one makes another', 'POST', path, { token: byFull, body: another })
  await call('a restricted one lists', 'GET', path, { token: byPlain, note: 'keys' })
  if (made.json?.application_credential !== undefined) {
    const own = `${path}/${made.json.application_credential.id}`
    await call('a restricted one deletes', 'DELETE', own, { token: byPlain })
    await call('an unrestricted one deletes', 'DELETE', own, { token: byFull })
  }
  await login('by token of it', { auth: { identity: { methods: ['token'], token: { id: byPlain } } } })
  await login(
    'name of an unknown user',
    credential({ name: 'full', secret: 'shell', user: { name: 'x', domain } }),
  )

  const brief = await call('create a brief one', 'POST', path, { token: byFull, body: another })
  const { token: byBrief } = await login('with the brief one', credential(key(brief)))
  await call('delete it', 'DELETE', `${path}/${key(brief).id}`, { token: byFull })
  await validate('one of what is gone', byBrief)
  await call('use of one of what is gone', 'GET', '/auth/projects', { token: byBrief })
}

async function catalog({ call, admin: token }: Talk): Promise<void> {
  const region = { id: 'Witness', description: 'a region' }
  await call('create', 'POST', '/regions', { token, body: { region } })
  await call('again', 'POST', '/regions', { token, body: { region } })
  await call('with an unknown parent', 'POST', '/regions', {
    token,
    body: { region: { id: 'WitnessToo', parent_region_id: 'nope' } },
  })
  const service = { type: 'witness', name: 'witness-service', description: 'a service' }
  const made = await call('create', 'POST', '/services', { token, body: { service } })
  const serviceId = made.json.service.id
  const nameless = await call('create', 'POST', '/services', {
    token,
    body: { service: { type: 'witness' } },
  })
  await call('update', 'PATCH', `/services/${serviceId}`, { token, body: { service: { description: 'x' } } })
  await call('list', 'GET', '/services?type=witness', { token })

  const spec = {
    interface: 'public',
    region_id: 'Witness',
    service_id: serviceId,
    url: 'http://example.org:1/v1',
  }
  const create = (label: string, endpoint: object) =>
    call(label, 'POST', '/endpoints', { token, body: { endpoint } })
  const endpoint = await create('create', spec)
  const again = await create('again', spec)
  const plain = await create('with a project in it', {
    ...spec,
    interface: 'internal',
    url: 'http://example.org/$(project_id)s',
  })
  await create('in an unknown region', { ...spec, region_id: 'nope' })
  await create('of an unknown service', { ...spec, service_id: 'nope' })
  await create('with a bad interface', { ...spec, interface: 'secret' })
  await create('with a bad url', { ...spec, url: 'nowhere' })
  await create('with nothing', {})
  const path = `/endpoints/${endpoint.json.endpoint.id}`
  await call('show', 'GET', path, { token })
  await call('update', 'PATCH', path, { token, body: { endpoint: { url: 'http://example.org:2' } } })
  await call('update', 'PATCH', path, { token, body: { endpoint: { interface: 'secret' } } })
  for (const query of [
    'interface=public&region_id=Witness',
    `service_id=${serviceId}&interface=admin`,
    'region_id=nope',
  ]) {
    await call('list', 'GET', `/endpoints?${query}`, { token })
  }
  await call('region in use', 'DELETE', '/regions/Witness', { token })
  for (const one of [endpoint, again]) {
    await call('delete', 'DELETE', `/endpoints/${one.json.endpoint.id}`, { token })
  }
  await call('delete again', 'DELETE', path, { token })
  await call('delete with its endpoints', 'DELETE', `/services/${serviceId}`, { token })
  await call('endpoint of a deleted service', 'GET', `/endpoints/${plain.json.endpoint.id}`, { token })
  await call('delete', 'DELETE', `/services/${nameless.json.service.id}`, { token })
  await call('show', 'GET', '/regions/Witness', { token })
  await call('update', 'PATCH', '/regions/Witness', { token, body: { region: { description: 'x' } } })
  await call('delete', 'DELETE', '/regions/Witness', { token })
  await call('delete again', 'DELETE', '/regions/Witness', { token })
}

async function collections({ call, admin: token }: Talk, { userId, projectId }: Made): Promise<void> {
  for (const one of ['user', 'project', 'role', 'domain', 'service', 'endpoint']) {
    await call('create with nothing', 'POST', `/${one}s`, { token, body: { [one]: {} } })
  }
  await call('create', 'POST', '/users', { token, body: { user: { name: '' } } })
  await call('create', 'POST', '/users', { token, body: { user: { name: 3 } } })
  await call('create', 'POST', '/users', { token, body: { user: { name: 'x', enabled: 'yes' } } })
  await call('create', 'POST', '/users', { token, body: { user: { name: 'x', domain_id: 'nope' } } })
  await call('create', 'POST', '/projects', { token, body: { project: { name: 'x', domain_id: 'nope' } } })
  await call('create', 'POST', '/projects', { token, body: { project: { name: 'x', parent_id: 'nope' } } })
  await call('no JSON', 'POST', '/users', { token, body: '{' })
  await call('update', 'PATCH', `/users/${userId}`, {
    token,
    body: { user: { description: 'x', colour: 'blue' } },
  })
  await call('update the id', 'PATCH', `/users/${userId}`, { token, body: { user: { id: 'x' } } })
  await call('update the name to a known one', 'PATCH', `/users/${userId}`, {
    token,
    body: { user: { name: 'admin' } },
  })
  await call('update', 'PATCH', `/projects/${projectId}`, {
    token,
    body: { project: { description: 'x', tags: ['a'] } },
  })
  await call('update what is not', 'PATCH', '/users/nope', { token, body: { user: { name: 'x' } } })
  await call('delete what is not', 'DELETE', '/users/nope', { token })
  await call('list by name', 'GET', '/users?name=witness-user', { token })
  await call('list by part of a name', 'GET', '/users?name__startswith=witness', { token })
  await call('list by two', 'GET', '/projects?name=witness-project&domain_id=default&enabled=true', { token })
  await call('list by enabled', 'GET', '/projects?name=witness-project&enabled=false', { token })
  await call('list by an unknown domain', 'GET', '/users?domain_id=nope', { token })

  const role = await call('create', 'POST', '/roles', { token, body: { role: { name: 'witness-role' } } })
  await call('again', 'POST', '/roles', { token, body: { role: { name: 'witness-role' } } })
  const rolePath = `/roles/${role.json.role.id}`
  await call('update', 'PATCH', rolePath, { token, body: { role: { description: 'x' } } })
  await call('list', 'GET', '/roles?name=witness-role', { token })
  await call('delete', 'DELETE', rolePath, { token })
  await call('delete again', 'DELETE', rolePath, { token })

  const made = await call('create', 'POST', '/domains', {
    token,
    body: { domain: { name: 'witness-domain' } },
  })
  await call('again', 'POST', '/domains', { token, body: { domain: { name: 'witness-domain' } } })
  const domainPath = `/domains/${made.json.domain.id}`
  const inside = { name: 'witness-inside', domain_id: made.json.domain.id }
  await call('create inside', 'POST', '/projects', { token, body: { project: inside } })
  await call('create inside', 'POST', '/users', { token, body: { user: { ...inside, password: 'pearl' } } })
  await call('list inside', 'GET', `/projects?domain_id=${made.json.domain.id}`, { token })
  await call('delete what is enabled', 'DELETE', domainPath, { token })
  await call('disable', 'PATCH', domainPath, { token, body: { domain: { enabled: false } } })
  await call('delete', 'DELETE', domainPath, { token })
  await call('list inside', 'GET', `/users?domain_id=${made.json.domain.id}`, { token })
}

async function invalidation(
  { call, login, admin }: Talk,
  { userId, projectId, roleId }: Made,
): Promise<void> {
  const user = { name: 'witness-user', domain, password: 'pearl' }
  const here = { project: { id: projectId } }
  const validate = (label: string, subject: string, by = admin) =>
    call(label, 'GET', '/auth/tokens?nocatalog', { token: by, headers: { 'x-subject-token': subject } })
  const write = (label: string, method: string, path: string, body?: unknown) =>
    call(label, method, path, { token: admin, body })
  const member = `/projects/${projectId}/users/${userId}/roles/${roleId('member')}`
  const reader = `/projects/${projectId}/users/${userId}/roles/${roleId('reader')}`

  const first = await login('before', password(user, here))
  const body = { application_credential: { name: 'lent' } }
  const lent = await call('lends', 'POST', `/users/${userId}/application_credentials`, {
    token: first.token,
    body,
  })
  const key = { id: lent.json.application_credential.id, secret: lent.json.application_credential.secret }
  await write('another role', 'PUT', reader)
  await validate('after a new grant', first.token)
  await write('takes member away', 'DELETE', member)
  await validate('after a grant went', first.token)
  await call('credentials after a grant went', 'GET', `/users/${userId}/application_credentials`, {
    token: admin,
  })
  const second = await login('reader only', password(user, here))
  await write('takes the last away', 'DELETE', reader)
  await validate('after the last grant went', second.token)
  await login('no role left', password(user, here))
  await login('no role left to lend', credential(key))
  await write('gives member back', 'PUT', member)

  const third = await login('before', password(user, here))
  await write('disables the project', 'PATCH', `/projects/${projectId}`, { project: { enabled: false } })
  await validate('of a disabled project', third.token)
  await login('disabled project', password(user, here))
  await call('projects, one disabled', 'GET', `/users/${userId}/projects`, { token: admin })
  await write('enables the project', 'PATCH', `/projects/${projectId}`, { project: { enabled: true } })
  await validate('of a project enabled again', third.token)

  const fourth = await login('before', password(user, here))
  await write('disables the user', 'PATCH', `/users/${userId}`, { user: { enabled: false } })
  await validate('of a disabled user', fourth.token)
  await call('use by a disabled user', 'GET', '/auth/projects', { token: fourth.token })
  await login('disabled user', password(user, here))
  await write('enables the user', 'PATCH', `/users/${userId}`, { user: { enabled: true } })
  await validate('of a user enabled again', fourth.token)

  const fifth = await login('before', password(user, here))
  const change = (label: string, body: object) =>
    call(label, 'POST', `/users/${userId}/password`, { token: fifth.token, body: { user: body } })
  await change('wrong old password', { original_password: 'x', password: 'nacre' })
  await change('no new password', { original_password: 'pearl' })
  await change('new password', { original_password: 'pearl', password: 'nacre' })
  await validate('after a new password', fifth.token)
  await login('old password', password(user, here))
  const sixth = await login('new password', password({ ...user, password: 'nacre' }, here))

  await login('with what was lent', credential(key))
  await write('deletes the project', 'DELETE', `/projects/${projectId}`)
  await login('with what was lent in a project that is gone', credential(key))
  await validate('of a deleted project', sixth.token)
  const seventh = await login('unscoped', password({ ...user, password: 'nacre' }, 'unscoped'))
  await write('deletes the user', 'DELETE', `/users/${userId}`)
  await validate('of a deleted user', seventh.token)
  await login('deleted user', password({ ...user, password: 'nacre' }, 'unscoped'))
}
