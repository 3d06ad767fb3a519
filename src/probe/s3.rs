//! A signed request to an S3 server: AWS Signature Version 4, in headers.

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use sha2::{Digest, Sha256};

use super::{Place, http, unwell};
use crate::state::ask::{Trouble, TroubleKind};
use crate::state::secret::Secret;
use crate::state::time::EngineTime;

/// What is asked of an S3 server, and who asks.
#[derive(Clone, Copy, Debug)]
pub struct S3Request<'a> {
    /// The bucket whose objects are listed; without one the buckets are.
    pub bucket: Option<&'a str>,
    /// The region that the server takes itself to be in.
    pub region: &'a str,
    /// The name of the key.
    pub access_key: &'a str,
    /// The key.
    pub secret_key: &'a Secret,
    /// When it is: the server refuses what is a quarter of an hour off.
    pub time: EngineTime,
}

/// Lists one object of the bucket, or the buckets.
pub(super) async fn list(
    place: Place<'_>,
    request: S3Request<'_>,
) -> Result<String, Trouble> {
    let (path, query) = match request.bucket {
        Some(bucket) => (format!("/{}", encoded(bucket)), "list-type=2&max-keys=1"),
        None => ("/".to_owned(), ""),
    };
    let signed = signed(&request, &place.authority(), &path, query)?;
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let (status, body) = http::get(place, &target, signed).await?;
    if status.is_success() {
        return Ok(match request.bucket {
            Some(bucket) => format!("the bucket {bucket} can be listed"),
            None => "its buckets can be listed".to_owned(),
        });
    }
    let text = String::from_utf8_lossy(&body);
    let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
    let message = between(&text, "<Message>", "</Message>").unwrap_or_default();
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    let is_denied = matches!(status.as_u16(), 400 | 401 | 403);
    let kind = if is_denied { TroubleKind::Denied } else { TroubleKind::Unwell };
    let said =
        format!("a signed request was answered {} {code}{message}", status.as_u16());
    Err(Trouble::new(kind, said.trim_end()))
}

/// Returns the headers that sign a GET without a body.
fn signed(
    request: &S3Request<'_>,
    host: &str,
    path: &str,
    query: &str,
) -> Result<HeaderMap, Trouble> {
    const HEADERS: &str = "host;x-amz-content-sha256;x-amz-date";
    let empty = hex(&Sha256::digest([]));
    let time = request.time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = time.get(..8).unwrap_or_default();
    let scope = format!("{day}/{}/s3/aws4_request", request.region);
    let canonical = format!(
        "GET\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{empty}\n\
         x-amz-date:{time}\n\n{HEADERS}\n{empty}"
    );
    let digest = hex(&Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
    let first = format!("AWS4{}", request.secret_key.expose());
    let key = [day, request.region, "s3", "aws4_request"]
        .iter()
        .try_fold(first.into_bytes(), |key, part| mac(&key, part))?;
    let signature = hex(&mac(&key, &to_sign)?);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={HEADERS},\
         Signature={signature}",
        request.access_key
    );
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-amz-content-sha256", empty),
        ("x-amz-date", time),
        ("authorization", authorization),
    ] {
        headers.insert(name, HeaderValue::from_str(&value).map_err(unwell)?);
    }
    Ok(headers)
}

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>, Trouble> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(unwell)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Encodes the name of a bucket for a path, as the signature wants it.
fn encoded(name: &str) -> String {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~".contains(&it);
    name.bytes()
        .map(|byte| {
            if is_plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_as_the_documentation_of_the_signature_does_it() {
        let secret_key = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let request = S3Request {
            bucket: None,
            region: "us-east-1",
            access_key: "AKIAIOSFODNN7EXAMPLE",
            secret_key: &secret_key,
            time: "2013-05-24T00:00:00Z".parse().unwrap(),
        };
        let host = "examplebucket.s3.amazonaws.com";
        let headers = signed(&request, host, "/", "max-keys=2&prefix=J").unwrap();
        let authorization = headers["authorization"].to_str().unwrap();
        assert!(
            authorization.ends_with(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
            "{authorization}"
        );
        assert!(authorization.contains(
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        ));
    }

    #[test]
    fn the_reason_of_an_error_is_read_off_its_page() {
        let page =
            "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>";
        assert_eq!(between(page, "<Code>", "</Code>"), Some("SignatureDoesNotMatch"));
        assert_eq!(between("<Code>x", "<Code>", "</Code>"), None);
        assert_eq!(encoded("a-b.c/d"), "a-b.c%2Fd");
    }
}
