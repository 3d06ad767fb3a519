//! A server that takes notifications, with TLS or without.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Got, channel};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value as Json;

use crate::product::repository;

/// Far more than any machine needs.
const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Receiver {
    url: String,
    got: Got<Json>,
}

impl Receiver {
    /// Answers every request with a status.
    pub(crate) fn plain(status: &'static str) -> Self {
        Self::new("http://127.0.0.1", None, status)
    }

    /// As [`Receiver::plain`], over TLS with a certificate of `tests/data/tls`.
    pub(crate) fn over_tls(status: &'static str) -> Self {
        Self::new("https://localhost", Some(tls()), status)
    }

    fn new(url: &str, tls: Option<Arc<ServerConfig>>, status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{url}:{}", listener.local_addr().unwrap().port());
        let (sender, got) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let taken = match &tls {
                    None => attend(stream, status),
                    Some(tls) => {
                        let tls = ServerConnection::new(tls.clone()).unwrap();
                        attend(StreamOwned::new(tls, stream), status)
                    }
                };
                if let Some(json) = taken
                    && sender.send(json).is_err()
                {
                    return;
                }
            }
        });
        Self { url, got }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns the next notification.
    #[track_caller]
    pub(crate) fn next(&self) -> Json {
        self.got.recv_timeout(LONG).expect("a notification")
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.got.try_recv().is_err()
    }
}

/// Takes one request; nothing when it breaks off.
fn attend(mut stream: impl Read + Write, status: &str) -> Option<Json> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let json = loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        // A body that is not whole is no JSON.
        if let Some(json) = body.and_then(|body| serde_json::from_str(&body).ok()) {
            break json;
        }
    };
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()?;
    stream.flush().ok()?;
    Some(json)
}

fn tls() -> Arc<ServerConfig> {
    let file = |name: &str| repository().join("tests/data/tls").join(name);
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}
