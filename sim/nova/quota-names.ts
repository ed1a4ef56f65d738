// Nova's quotas, and the default limits of projects.

/**
 * The default limits; -1: no limit. The quotas of networks are left from nova-network: nothing counts them.
 */
export const stockQuotas = {
  instances: -1,
  cores: -1,
  ram: -1,
  fixed_ips: -1,
  floating_ips: -1,
  metadata_items: 128,
  injected_files: 5,
  injected_file_content_bytes: 10_240,
  injected_file_path_bytes: 255,
  key_pairs: 100,
  security_groups: -1,
  security_group_rules: -1,
  server_groups: -1,
  server_group_members: -1,
}
export type QuotaName = keyof typeof stockQuotas
export type Quotas = Record<QuotaName, number>
