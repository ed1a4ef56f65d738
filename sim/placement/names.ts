// The resource classes and traits that every Placement knows.

export const standardClasses: readonly string[] = [
  'VCPU',
  'MEMORY_MB',
  'DISK_GB',
  'PCI_DEVICE',
  'SRIOV_NET_VF',
  'NUMA_SOCKET',
  'NUMA_CORE',
  'NUMA_THREAD',
  'NUMA_MEMORY_MB',
  'IPV4_ADDRESS',
  'VGPU',
  'VGPU_DISPLAY_HEAD',
  'NET_BW_EGR_KILOBIT_PER_SEC',
  'NET_BW_IGR_KILOBIT_PER_SEC',
  'PCPU',
  'MEM_ENCRYPTION_CONTEXT',
  'FPGA',
  'PGPU',
  'NET_PACKET_RATE_KILOPACKET_PER_SEC',
  'NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC',
  'NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC',
]

/** The standard traits that Nova sets or that are requested most, of some three hundred. */
export const standardTraits: readonly string[] = [
  'COMPUTE_DEVICE_TAGGING',
  'COMPUTE_NET_ATTACH_INTERFACE',
  'COMPUTE_NODE',
  'COMPUTE_STATUS_DISABLED',
  'COMPUTE_TRUSTED_CERTS',
  'COMPUTE_VOLUME_ATTACH_WITH_TAG',
  'COMPUTE_VOLUME_EXTEND',
  'COMPUTE_VOLUME_MULTI_ATTACH',
  'HW_ARCH_AARCH64',
  'HW_ARCH_X86_64',
  'HW_CPU_HYPERTHREADING',
  'HW_CPU_X86_AVX',
  'HW_CPU_X86_AVX2',
  'HW_CPU_X86_AVX512F',
  'HW_CPU_X86_SSE42',
  'HW_CPU_X86_VMX',
  'HW_NIC_SRIOV',
  'HW_NUMA_ROOT',
  'MISC_SHARES_VIA_AGGREGATE',
  'OWNER_NOVA',
  'STORAGE_DISK_SSD',
]

/** The traits that the compute service sets on each of its hosts. */
export const computeTraits: readonly string[] = [
  'COMPUTE_DEVICE_TAGGING',
  'COMPUTE_NET_ATTACH_INTERFACE',
  'COMPUTE_NODE',
  'COMPUTE_VOLUME_ATTACH_WITH_TAG',
  'COMPUTE_VOLUME_EXTEND',
  'COMPUTE_VOLUME_MULTI_ATTACH',
]

export const isCustom = (name: string): boolean => /^CUSTOM_[A-Z0-9_]+$/.test(name) && name.length <= 255
