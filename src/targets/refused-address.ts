import { BlockList, isIP } from 'node:net'

const refused = new BlockList()
// Link-local, where clouds keep their metadata and its credentials; Alibaba, Oracle, Azure, AWS and Google have addresses beside it.
refused.addSubnet('169.254.0.0', 16, 'ipv4')
refused.addAddress('100.100.100.200', 'ipv4')
refused.addAddress('192.0.0.192', 'ipv4')
refused.addAddress('168.63.129.16', 'ipv4')
refused.addSubnet('fe80::', 10, 'ipv6')
refused.addSubnet('fd00:ec2::', 32, 'ipv6')
refused.addAddress('fd20:ce::254', 'ipv6')

/** Address of an IPv6 form whose last, or second and third, groups hold one of IPv4. */
const holders: readonly (readonly [prefix: RegExp, at: number])[] = [
  [/^0:0:0:0:0:(ffff|0):/, 6], // mapped, and the older compatible form
  [/^0:0:0:0:ffff:0:/, 6], // translated (RFC 2765)
  [/^64:ff9b:(0:0:0:0|1:[^:]+:[^:]+:[^:]+):/, 6], // NAT64
  [/^2002:/, 1], // 6to4
]

/** Whether nothing may be sent to the address: link-local ones, those of clouds' metadata, and either inside an IPv6 form. */
export function isRefusedAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '')
  if (isIP(plain) === 4) return refused.check(plain, 'ipv4')
  if (isIP(plain) !== 6) return false
  if (refused.check(plain, 'ipv6')) return true
  const groups = expand(plain)
  const written = groups.map((group) => group.toString(16)).join(':')
  return holders.some(([prefix, at]) => {
    if (!prefix.test(written)) return false
    const [high = 0, low = 0] = groups.slice(at, at + 2)
    return refused.check([high >> 8, high & 255, low >> 8, low & 255].join('.'), 'ipv4')
  })
}

/** The eight groups of an IPv6 address, however it is written. */
function expand(address: string): number[] {
  // A URL writes all of them in hexadecimal, in the shortest form.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = short.split('::')
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [first, last] = [parse(head), parse(tail ?? '')]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}
