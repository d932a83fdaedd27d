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
  const allowed = ranges.map((range) => readRange(ipaddr, range));
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    const address = unwrap(ipaddr, ipaddr.process(text));
    return (
      isPublic(ipaddr, address) || allowed.some((range) => range[0].kind() === address.kind() && address.match(range))
    );
  };
}

/** A range of `::ffff:0:0/96` as the IPv4 addresses that are meant, since these are what is compared. */
function readRange(ipaddr: Ipaddr, text: string): [Address, number] {
  const [address, bits] = ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${bitsOf(text)}`);
  const inner = ipaddr.process(address.toString());
  return inner.kind() === address.kind() || bits < MAPPED_BITS ? [address, bits] : [inner, bits - MAPPED_BITS];
}

const MAPPED_BITS = 96;

const bitsOf = (address: string): number => (address.includes(':') ? 128 : 32);

/** All that is routed on the internet of IPv6; the rest is unassigned, or has a meaning on this host or network. */
const GLOBAL = '2000::/3';
/** An IPv4 address within one of IPv6: what a NAT64 connects to is the inner one. */
const NAT64 = '64:ff9b::/96';
/** Is public by its number, and answers each virtual machine of Azure from its own host. */
const AZURE_HOST = '168.63.129.16';

function isPublic(ipaddr: Ipaddr, address: Address): boolean {
  if (address.range() !== 'unicast' || address.toString() === AZURE_HOST) return false;
  return address.kind() === 'ipv4' || address.match(ipaddr.parseCIDR(GLOBAL));
}

function unwrap(ipaddr: Ipaddr, address: Address): Address {
  if (address.kind() === 'ipv4' || !address.match(ipaddr.parseCIDR(NAT64))) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}
