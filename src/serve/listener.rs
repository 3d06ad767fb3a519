//! Where a server listens: at an address of the network, or at a socket in the file system.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};

/// What stands before the path of a socket.
const UNIX: &str = "unix:";

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// At an address and a port.
    Network(SocketAddr),
    /// At a socket, for its owner alone.
    Socket(PathBuf),
}

impl Address {
    /// Tells whether only processes of this host can reach it.
    pub const fn is_near(&self) -> bool {
        match self {
            Self::Network(address) => address.ip().is_loopback(),
            Self::Socket(_) => true,
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix(UNIX) {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Self::Socket(path))
            } else {
                Err("the path of a socket begins with /: unix:/path/to.sock".to_owned())
            };
        }
        text.parse().map(Self::Network).map_err(|_| {
            "an address is written 127.0.0.1:9180, [::1]:9180 or unix:/path/to.sock"
                .to_owned()
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(f),
            Self::Socket(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// A connection, of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Something that listens.
#[derive(Debug)]
pub(super) enum Listener {
    Network(TcpListener),
    Socket(UnixListener, Leftover),
}

/// The file of a socket; its end takes it away.
#[derive(Debug)]
pub(super) struct Leftover(PathBuf);

impl Drop for Leftover {
    fn drop(&mut self) {
        // It may have been taken away already.
        fs::remove_file(&self.0).unwrap_or_default();
    }
}

impl Listener {
    /// Listens at an address. A socket that nobody answers at gives way.
    pub(super) async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Network(address) => {
                Ok(Self::Network(TcpListener::bind(address).await?))
            }
            Address::Socket(path) => {
                clear(path).await?;
                let listener = closed_to_others(path)?;
                Ok(Self::Socket(listener, Leftover(path.clone())))
            }
        }
    }

    /// Returns where it listens.
    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Network(listener) => listener.local_addr().map(Address::Network),
            Self::Socket(_, Leftover(path)) => Ok(Address::Socket(path.clone())),
        }
    }

    /// Waits for a connection; returns who is at the other end, too.
    pub(super) async fn accept(&self) -> io::Result<(Box<dyn Stream>, String)> {
        match self {
            Self::Network(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Box::new(stream), peer.to_string()))
            }
            Self::Socket(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), "the socket".to_owned()))
            }
        }
    }
}

/// Takes away a socket that an earlier process has left, and nothing else.
async fn clear(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        let why = "there is something else than a socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    if UnixStream::connect(path).await.is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there"));
    }
    fs::remove_file(path)
}

/// Binds under another name first: at its own, nobody meets it while it is open to others.
fn closed_to_others(path: &Path) -> io::Result<UnixListener> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let early = Leftover(name.into());
    let listener = UnixListener::bind(&early.0)?;
    fs::set_permissions(&early.0, Permissions::from_mode(0o600))?;
    fs::rename(&early.0, path)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_networks_and_of_sockets() {
        for (text, is_near) in [
            ("127.0.0.1:9180", true),
            ("[::1]:9180", true),
            ("unix:/run/a.sock", true),
            ("0.0.0.0:9180", false),
            ("192.0.2.1:80", false),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.to_string().as_str(), address.is_near()),
                (text, is_near)
            );
        }
        for (text, words) in [
            ("localhost:9180", "127.0.0.1:9180"),
            (":9180", "[::1]:9180"),
            ("unix:a.sock", "begins with /"),
            ("", "unix:/path"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[tokio::test]
    async fn a_socket_is_for_its_owner_alone_and_takes_no_place_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let address = Address::Socket(path.clone());
        let first = Listener::bind(&address).await.unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = Listener::bind(&address).await.unwrap_err();
        assert!(error.to_string().contains("somebody listens"), "{error}");
        // A process that was killed leaves its socket.
        let Listener::Socket(listener, leftover) = first else { unreachable!() };
        drop(listener);
        std::mem::forget(leftover);
        let second = Listener::bind(&address).await.unwrap();
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(&path, "precious").unwrap();
        let error = Listener::bind(&address).await.unwrap_err();
        assert!(error.to_string().contains("something else"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
