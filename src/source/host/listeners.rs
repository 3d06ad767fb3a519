//! The ports that are listened on, of this network namespace.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::state::host::Listener;

/// The tables of the kernel, with the state in which a socket of each waits for others.
const TABLES: [(&str, &str, &str); 4] = [
    ("proc/net/tcp", "tcp", "0A"),
    ("proc/net/tcp6", "tcp", "0A"),
    ("proc/net/udp", "udp", "07"),
    ("proc/net/udp6", "udp", "07"),
];

/// Reads all of them.
pub(super) fn all(root: &Path) -> BTreeSet<Listener> {
    let mut found = BTreeSet::new();
    for (file, protocol, state) in TABLES {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        found.extend(text.lines().skip(1).filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let local = words.next()?;
            let is_it = words.nth(1) == Some(state);
            let (address, port) = local.split_once(':').filter(|_| is_it)?;
            let port = u16::from_str_radix(port, 16).ok()?;
            Some(Listener { protocol, address: self::address(address)?, port })
        }));
    }
    found
}

/// Reads an address: words of four bytes in hexadecimal, each in the order of the machine.
fn address(text: &str) -> Option<IpAddr> {
    let words = text.as_bytes().chunks(8).map(|word| {
        let word = std::str::from_utf8(word).ok()?;
        u32::from_str_radix(word, 16).ok().map(u32::to_ne_bytes)
    });
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.concat();
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(four).into());
    }
    let sixteen = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
    Some(Ipv6Addr::from(sixteen).to_canonical())
}
