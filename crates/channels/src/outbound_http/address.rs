//! Is an address part of the public internet?
//!
//! Source: the special-purpose registries of IANA (RFC 6890 and its updates), and multicast. What embeds an IPv4
//! address (mapped, NAT64, 6to4, Teredo) is never public: what it leads to is decided elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First address and length of the prefix.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// The only part of IPv6 that is given out, and what in it is not public.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !NOT_PUBLIC_V4.iter().any(|(first, length)| (v4.to_bits() ^ first.to_bits()) >> (32 - length) == 0),
        IpAddr::V6(v6) => {
            let within = |(first, length): &(Ipv6Addr, u32)| (v6.to_bits() ^ first.to_bits()) >> (128 - length) == 0;
            within(&GLOBAL_V6) && !NOT_PUBLIC_V6.iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let table = "
            0.0.0.0                    private
            1.1.1.1                    public
            9.255.255.255              public
            10.0.0.0                   private
            10.255.255.255             private
            11.0.0.0                   public
            100.63.255.255             public
            100.64.0.0                 private
            100.127.255.255            private
            100.128.0.0                public
            127.0.0.1                  private
            127.255.255.254            private
            128.0.0.1                  public
            169.253.255.255            public
            169.254.169.254            private
            172.15.255.255             public
            172.16.0.0                 private
            172.31.255.255             private
            172.32.0.0                 public
            192.0.0.170                private
            192.0.2.1                  private
            192.88.99.1                private
            192.167.255.255            public
            192.168.0.1                private
            192.169.0.0                public
            198.17.255.255             public
            198.18.0.1                 private
            198.19.255.255             private
            198.20.0.0                 public
            198.51.100.7               private
            203.0.113.9                private
            223.255.255.255            public
            224.0.0.1                  private
            240.0.0.1                  private
            255.255.255.255            private
            ::                         private
            ::1                        private
            ::127.0.0.1                private
            ::ffff:127.0.0.1           private
            ::ffff:8.8.8.8             private
            64:ff9b::7f00:1            private
            64:ff9b:1::a00:1           private
            100::1                     private
            2001::1                    private
            2001:1ff:ffff::1           private
            2001:200::1                public
            2001:db8::1                private
            2001:4860:4860::8888       public
            2002:7f00:1::1             private
            2606:4700:4700::1111       public
            3fff:fff:ffff::1           private
            3fff:1000::1               public
            4000::1                    private
            fc00::1                    private
            fd12:3456::1               private
            fe80::1                    private
            fec0::1                    private
            ff02::1                    private";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let address: IpAddr = words.next().unwrap().parse().unwrap();
            assert_eq!(is_public(address), words.next() == Some("public"), "{address}");
        }
    }
}
