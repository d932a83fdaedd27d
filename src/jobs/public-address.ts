type Ipaddr = typeof import('ipaddr.js');
type Address = ReturnType<Ipaddr['process']>;

/** Whether a webhook may be sent to an address. Whatever is no address is refused. */
export type AddressCheck = (address: string) => boolean;

/**
 * Lets through the addresses of the public internet, and those of `ranges`: what answers on the others is this host,
 * its network or its cloud's metadata service, which nobody who hands in a URL is to reach.
 *
 * @param ranges addresses and networks, such as `10.1.0.0/16`, that were checked to be such
 */
export function checkAddresses(ranges: readonly string[]): AddressCheck {
  const ipaddr = require('ipaddr.js') as Ipaddr;
  const allowed = ranges.map((range) => ipaddr.parseCIDR(range.includes('/') ? range : `${range}/${bitsOf(range)}`));
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    const address = unwrap(ipaddr, ipaddr.process(text));
    return (
      isPublic(ipaddr, address) || allowed.some((range) => range[0].kind() === address.kind() && address.match(range))
    );
  };
}

const bitsOf = (address: string): number => (address.includes(':') ? 128 : 32);

/** All that is routed on the internet of IPv6; the rest is unassigned, or has a meaning on this host or network. */
const GLOBAL = '2000::/3';
/** An IPv4 address within one of IPv6: what a NAT64 connects to is the inner one. */
const NAT64 = '64:ff9b::/96';

function isPublic(ipaddr: Ipaddr, address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(ipaddr.parseCIDR(GLOBAL));
}

function unwrap(ipaddr: Ipaddr, address: Address): Address {
  if (address.kind() === 'ipv4' || !address.match(ipaddr.parseCIDR(NAT64))) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}
