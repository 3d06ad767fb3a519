//! One HTTP request with a body, and what came of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::source::secret_file::{SecretFile, SecretFileError};
use crate::state::notice::{Address, NoWebhookUrl, WebhookUrl};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes a URL has at least.
const SHORTEST_URL: usize = 8;

/// Why something was not sent; no URL is told, but for its host.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The file of the URL cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// It holds no URL.
    #[error("the file holds no URL: {0}")]
    NoUrl(#[from] NoWebhookUrl),
    /// Nobody is reached.
    #[error("{host} cannot be reached: {error}")]
    Unreachable {
        /// Who.
        host: String,
        /// Why not.
        error: String,
    },
    /// The answer is no.
    #[error("{host} answered {status}")]
    Refused {
        /// Who.
        host: String,
        /// What.
        status: StatusCode,
    },
    /// It takes too long.
    #[error("there was no answer in {} s", TIMEOUT.as_secs())]
    TimedOut,
}

impl NotSent {
    /// Tells whether the same would fail again: an answer that blames the request, or sends
    /// it elsewhere, which is not followed.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
                !status.is_server_error() && !again.contains(status)
            }
            Self::File(_)
            | Self::NoUrl(_)
            | Self::Unreachable { .. }
            | Self::TimedOut => false,
        }
    }
}

/// Reads the URL that a file holds.
///
/// # Errors
/// The file cannot be used, or holds none.
pub fn url_in(path: &Path) -> Result<WebhookUrl, NotSent> {
    let secret = SecretFile::new(path, SHORTEST_URL).read()?;
    Ok(WebhookUrl::parse(secret.expose())?)
}

/// Sends a body of JSON.
pub(super) async fn post(address: &Address, body: Vec<u8>) -> Result<(), NotSent> {
    let url = match address {
        Address::Url(url) => url.clone(),
        Address::File(path) => url_in(path)?,
    };
    let sent = tokio::time::timeout(TIMEOUT, send(&url, body)).await;
    let status = match sent.map_err(|_| NotSent::TimedOut)? {
        Ok(status) => status,
        Err(error) => {
            let (host, error) = (url.host().to_owned(), words(error.as_ref()));
            return Err(NotSent::Unreachable { host, error });
        }
    };
    if status.is_success() {
        return Ok(());
    }
    Err(NotSent::Refused { host: url.host().to_owned(), status })
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn send(url: &WebhookUrl, body: Vec<u8>) -> Result<StatusCode, AnyError> {
    let stream = TcpStream::connect((url.host(), url.port())).await?;
    if !url.is_secure() {
        return request(stream, url, body).await;
    }
    let config = tokio::task::spawn_blocking(trusting_the_host).await??;
    let name = ServerName::try_from(url.host().to_owned())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    request(stream, url, body).await
}

/// Trusts whom this host trusts: the certificates of the system, or those that
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name. They are read anew each time, since they change
/// and little is sent.
fn trusting_the_host() -> Result<ClientConfig, AnyError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = "this host trusts no certificate: install its `ca-certificates`, or name \
                   a file of them in SSL_CERT_FILE";
        return Err(why.into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn request(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &WebhookUrl,
    body: Vec<u8>,
) -> Result<StatusCode, AnyError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(url.target().expose())
        .header(header::HOST, authority(url))
        .header(header::USER_AGENT, concat!("reconciler/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))?;
    let mut answer = std::pin::pin!(sender.send_request(request));
    // The connection ends with the request: what else the answer says is not read.
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = connection => {
            ended?;
            answer.await
        }
    };
    Ok(answer?.status())
}

/// Writes the host as it stands in a URL, with a port that is not the usual one.
fn authority(url: &WebhookUrl) -> String {
    let host = url.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    match (url.is_secure(), url.port()) {
        (true, 443) | (false, 80) => host,
        (_, port) => format!("{host}:{port}"),
    }
}

/// Returns an error with its reason.
fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
