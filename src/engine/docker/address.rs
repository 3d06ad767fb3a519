//! Where an engine is, read off `--host` or `DOCKER_HOST`.

use std::path::PathBuf;

use crate::engine::EngineError;

/// Where an engine is looked for when nobody says.
pub const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// The address of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A socket in the file system.
    Socket(PathBuf),
    /// `host:port`, in clear.
    Port(String),
}

impl Address {
    /// Reads an address as `docker --host` would.
    pub(super) fn parse(host: &str) -> Result<Self, EngineError> {
        let wrong = |reason: &str| EngineError::Address {
            host: host.to_owned(),
            reason: reason.to_owned(),
        };
        let Some((scheme, rest)) = host.split_once("://") else {
            return Err(wrong(
                "it has no scheme; write unix:///var/run/docker.sock or tcp://HOST:PORT",
            ));
        };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Socket(rest.into())),
            "unix" => Err(wrong(
                "the path of a socket is absolute, as in unix:///var/run/docker.sock",
            )),
            "tcp" | "http" => parse_port(rest).map(Self::Port).ok_or_else(|| {
                wrong("after tcp:// come a host, a port and nothing else, as in tcp://127.0.0.1:2375")
            }),
            "ssh" => Err(wrong(
                "ssh is not supported; forward the socket instead: \
                 ssh -N -L /run/engine.sock:/var/run/docker.sock HOST, then --host unix:///run/engine.sock",
            )),
            "https" => Err(wrong(
                "TLS is not supported; run reconciler on the engine's own host, or forward its socket by ssh",
            )),
            _ => Err(wrong("only unix://, tcp:// and http:// are supported")),
        }
    }
}

/// Returns `host:port`, with the engine's customary port where none is given.
fn parse_port(rest: &str) -> Option<String> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() || rest.contains(['/', '?', '#', '@', ' ']) {
        return None;
    }
    // The colons of an IPv6 address stand within brackets.
    let after_host = rest.rsplit(']').next().unwrap_or(rest);
    match after_host.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => Some(rest.to_owned()),
        Some(_) => None,
        None => Some(format!("{rest}:2375")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_ports_are_addresses() {
        for (host, address) in [
            (DEFAULT_HOST, Address::Socket("/var/run/docker.sock".into())),
            ("tcp://127.0.0.1:2375", Address::Port("127.0.0.1:2375".to_owned())),
            ("http://engine:80/", Address::Port("engine:80".to_owned())),
            ("tcp://engine", Address::Port("engine:2375".to_owned())),
            ("tcp://[::1]", Address::Port("[::1]:2375".to_owned())),
            ("tcp://[::1]:99", Address::Port("[::1]:99".to_owned())),
        ] {
            assert_eq!(Address::parse(host).unwrap(), address, "{host}");
        }
    }

    #[test]
    fn what_is_not_supported_is_named_with_a_way_out() {
        for (host, word) in [
            ("ssh://me@engine", "ssh -N -L"),
            ("https://engine:2376", "TLS is not supported"),
            ("npipe:////./pipe/docker_engine", "only unix://"),
            ("/var/run/docker.sock", "no scheme"),
            ("unix://relative.sock", "absolute"),
            ("tcp://engine:2375/prefix", "nothing else"),
            ("tcp://engine:port", "nothing else"),
            ("tcp://", "nothing else"),
        ] {
            let error = Address::parse(host).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(host), "{error}");
        }
    }
}
