// The services of a region that are called, what people call them, and where their API begins below an endpoint.

export type ServiceType =
  | 'network'
  | 'compute'
  | 'placement'
  | 'image'
  | 'identity'
  | 'volumev3'
  | 'block-storage'

interface Service {
  readonly name: string
  /** The version at the end of a catalog's URL: some installations put it (and the project) there. */
  readonly version: RegExp
  /** The path of the API below the root. */
  readonly path: string
}

const cinder: Service = { name: 'Cinder', version: /\/v3(\/[^/]+)?$/, path: '/v3' }

const services: Readonly<Record<ServiceType, Service>> = {
  network: { name: 'Neutron', version: /\/v2\.0$/, path: '/v2.0' },
  compute: { name: 'Nova', version: /\/v2(\.\d+)?(\/[^/]+)?$/, path: '/v2.1' },
  placement: { name: 'Placement', version: /$/, path: '' },
  image: { name: 'Glance', version: /\/v2(\.\d+)?$/, path: '/v2' },
  identity: { name: 'Keystone', version: /\/v3$/, path: '/v3' },
  volumev3: cinder,
  'block-storage': cinder,
}

export const serviceName = (type: ServiceType): string => services[type].name

/** Where the service's version document is: the endpoint's URL without a version, and without a slash at its end. */
export const rootUrl = (type: ServiceType, endpoint: string): string =>
  endpoint.replace(/\/+$/, '').replace(services[type].version, '')

/** Where the service's API begins, whatever form of URL the catalog has. No slash at its end. */
export const apiUrl = (type: ServiceType, endpoint: string): string =>
  rootUrl(type, endpoint) + services[type].path
