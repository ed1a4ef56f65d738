// A lease for tests of what is pure: from ten to twelve, of two hosts.

import type { EventStatus, HostReservation, Lease, LeaseEvent } from '../../src/core/leases/lease.ts'
import type { LeaseRules } from '../../src/core/leases/rules.ts'

/** An instant of the day of all these tests. */
export const at = (time: string): Date => new Date(`2030-01-01T${time.length === 5 ? `${time}:00` : time}Z`)

export const rules: LeaseRules = {
  beforeEndMs: 3_600_000,
  beforeEnd: '',
  cleaningMs: 0,
  longestMs: null,
  mostReservations: 100,
  retryForMs: 600_000,
}

export const event = (type: string, time: string, status: EventStatus = 'UNDONE'): LeaseEvent => ({
  id: `${type} ${time}`,
  type,
  at: at(time),
  status,
  createdAt: at('09:00'),
  updatedAt: null,
})

export const reservation = (given: Partial<HostReservation> = {}): HostReservation => ({
  id: 'r1',
  kind: 'physical:host',
  status: 'pending',
  min: 2,
  max: 2,
  hypervisorProperties: '',
  resourceProperties: '',
  beforeEnd: 'default',
  regionId: 'pod1',
  regionName: 'Pod1',
  hosts: [1, 2],
  missingResources: false,
  resourcesChanged: false,
  createdAt: at('09:00'),
  updatedAt: null,
  ...given,
})

export const pending = (given: Partial<Lease> = {}): Lease => ({
  id: 'l1',
  name: 'lease',
  projectId: 'p1',
  userId: 'u1',
  startAt: at('10:00'),
  endAt: at('12:00'),
  status: 'PENDING',
  statusReason: null,
  action: null,
  degraded: false,
  reservations: [reservation()],
  events: [event('start_lease', '10:00'), event('end_lease', '12:00'), event('before_end_lease', '11:00')],
  version: 1,
  createdAt: at('09:00'),
  updatedAt: null,
  ...given,
})

export const active = (given: Partial<Lease> = {}): Lease =>
  pending({
    status: 'ACTIVE',
    reservations: [reservation({ status: 'active' })],
    events: [
      event('start_lease', '10:00', 'DONE'),
      event('end_lease', '12:00'),
      event('before_end_lease', '11:00'),
    ],
    ...given,
  })

/** It could not start. */
export const failed = (given: Partial<Lease> = {}): Lease =>
  pending({
    status: 'ERROR',
    statusReason: 'Nova said no',
    reservations: [reservation({ status: 'error' })],
    events: [
      event('start_lease', '10:00', 'ERROR'),
      event('end_lease', '12:00'),
      event('before_end_lease', '11:00'),
    ],
    ...given,
  })

export const terminated = (given: Partial<Lease> = {}): Lease =>
  pending({
    status: 'TERMINATED',
    reservations: [reservation({ status: 'deleted' })],
    events: ['start_lease', 'end_lease', 'before_end_lease'].map(type => event(type, '10:00', 'DONE')),
    ...given,
  })
