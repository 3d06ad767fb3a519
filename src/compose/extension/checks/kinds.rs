//! How each kind of check is read.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::super::node::{Kind, Node};
use super::super::reload::{below, command};
use super::super::{Wrong, duration, texts, wrong};
use crate::state::check::{CheckKind, Credential, Login, Place, S3};
use crate::state::ids::ServiceName;
use crate::state::secret::Secret;

type Read = Result<CheckKind, Wrong>;

/// What S3 servers take themselves to be in when nobody told them.
const REGION: &str = "us-east-1";

pub(super) fn http(node: &Node, check: &Node) -> Read {
    const ALLOWED: &str =
        "a URL such as `http://web:8080/healthz`: a service or a host, and its port";
    let (at, path) = url(node, ALLOWED).map_err(|it| below(it, ".http"))?;
    let status = check.get("status").map_or(Ok(BTreeSet::new()), statuses);
    let body = check.get("body").map(|body| {
        let text = body.as_text().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| wrong(body, "a text that the body holds"))
    });
    Ok(CheckKind::Http {
        at,
        path,
        status: status.map_err(|it| below(it, ".status"))?,
        body: body.transpose().map_err(|it| below(it, ".body"))?,
    })
}

pub(super) fn tcp(node: &Node, _: &Node) -> Read {
    Ok(CheckKind::Tcp { at: place(node).map_err(|it| below(it, ".tcp"))? })
}

pub(super) fn grpc(node: &Node, check: &Node) -> Read {
    let service = match check.get("service") {
        None => String::new(),
        Some(node) => {
            let text = node.as_text().filter(|it| !it.is_empty() && it.len() <= 256);
            let wrong = || below(wrong(node, "the name of a gRPC service"), ".service");
            text.ok_or_else(wrong)?.to_owned()
        }
    };
    let at = place(node).map_err(|it| below(it, ".grpc"))?;
    Ok(CheckKind::Grpc { at, service, login: login(check)? })
}

pub(super) fn etcd_alarms(node: &Node, check: &Node) -> Read {
    let at = place(node).map_err(|it| below(it, ".etcd_alarms"))?;
    Ok(CheckKind::EtcdAlarms { at, login: login(check)? })
}

pub(super) fn s3(node: &Node, check: &Node) -> Read {
    const ALLOWED: &str =
        "a URL such as `http://minio:9000`: a service or a host, and its port";
    let (at, path) = url(node, ALLOWED).map_err(|it| below(it, ".s3"))?;
    if path != "/" {
        let message = "it has no path: the bucket is named by `bucket`";
        return Err(Wrong(node.span, ".s3".to_owned(), message.to_owned()));
    }
    let named = |key: &str, allowed: &str| match check.get(key) {
        None => Ok(None),
        Some(node) => match node.as_text() {
            Some(text) if is_name(text) => Ok(Some(text.to_owned())),
            Some(_) | None => Err(below(wrong(node, allowed), &format!(".{key}"))),
        },
    };
    let missing = |what: &str| {
        let message = format!("a signed request needs {what}");
        Wrong(node.span, String::new(), message)
    };
    let secret_key = credential(check, ["secret_key", "secret_key_file"])?;
    Ok(CheckKind::S3(S3 {
        at,
        bucket: named("bucket", "the name of a bucket")?,
        region: named("region", "a region such as `us-east-1`")?
            .unwrap_or_else(|| REGION.to_owned()),
        access_key: named("access_key", "the name of a key, without spaces")?
            .ok_or_else(|| missing("`access_key`"))?,
        secret_key: secret_key
            .ok_or_else(|| missing("`secret_key` or `secret_key_file`"))?,
    }))
}

pub(super) fn exec(node: &Node, check: &Node) -> Read {
    let command = command(node).map_err(|it| below(it, ".exec"))?;
    let of = check.get("in").and_then(Node::as_text).filter(|it| !it.is_empty());
    let of = of.ok_or_else(|| {
        let message = "it does not say where: write the service, such as `in: etcd`";
        Wrong(node.span, String::new(), message.to_owned())
    })?;
    Ok(CheckKind::Exec { of: ServiceName::new(of), command })
}

pub(super) fn containers(node: &Node, _: &Node) -> Read {
    let of = services(node).map_err(|it| below(it, ".containers"))?;
    Ok(CheckKind::Containers { of })
}

pub(super) fn disk(node: &Node, check: &Node) -> Read {
    const ALLOWED: &str = "`all` (the folders that containers may write to) or a list of \
                           paths from the root";
    let paths = match node.as_text() {
        Some("all") => BTreeSet::new(),
        Some(path) if path.starts_with('/') => [path.to_owned()].into(),
        Some(_) => return Err(below(wrong(node, ALLOWED), ".disk")),
        None => texts(node).map_err(|it| below(it, ".disk"))?.into_iter().collect(),
    };
    if paths.len() > 64 || paths.iter().any(|path: &String| !path.starts_with('/')) {
        return Err(below(wrong(node, ALLOWED), ".disk"));
    }
    Ok(CheckKind::Disk { paths, below: percent(check, 80)? })
}

pub(super) fn memory(node: &Node, check: &Node) -> Read {
    let of = services(node).map_err(|it| below(it, ".memory"))?;
    Ok(CheckKind::Memory { of, below: percent(check, 90)? })
}

pub(super) fn image_age(node: &Node, _: &Node) -> Read {
    let below = duration(node).map_err(|it| below(it, ".image_age"))?;
    Ok(CheckKind::ImageAge { below })
}

/// Reads `all`, one service, or a list of services.
fn services(node: &Node) -> Result<BTreeSet<ServiceName>, Wrong> {
    match node.as_text() {
        Some("all") => Ok(BTreeSet::new()),
        Some(name) if !name.is_empty() => Ok([ServiceName::new(name)].into()),
        Some(_) => Err(wrong(node, "`all` or a list of services")),
        None => {
            let names = texts(node);
            let names = names.map_err(|_| wrong(node, "`all` or a list of services"))?;
            Ok(names.into_iter().map(ServiceName::new).collect())
        }
    }
}

/// Reads `below: 80%`.
fn percent(check: &Node, otherwise: u8) -> Result<u8, Wrong> {
    let Some(node) = check.get("below") else { return Ok(otherwise) };
    let text = node.as_text().unwrap_or_default();
    let number = text.strip_suffix('%').and_then(|text| text.trim().parse().ok());
    number
        .filter(|number| (1..=100).contains(number))
        .ok_or_else(|| below(wrong(node, "a percentage such as `80%`"), ".below"))
}

fn statuses(node: &Node) -> Result<BTreeSet<u16>, Wrong> {
    const ALLOWED: &str = "a status of HTTP such as 200, or a list of them";
    let one = |node: &Node| {
        let number = match &node.kind {
            Kind::Int(number) => u16::try_from(*number).ok(),
            Kind::Text(text) => text.text.parse().ok(),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Real(_)
            | Kind::Sequence(_)
            | Kind::Mapping(_) => None,
        };
        let number = number.filter(|number| (100..600).contains(number));
        number.ok_or_else(|| wrong(node, ALLOWED))
    };
    match &node.kind {
        Kind::Sequence(items) => items.iter().map(one).collect(),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Real(_)
        | Kind::Text(_)
        | Kind::Mapping(_) => Ok([one(node)?].into()),
    }
}

/// Reads `user` with `password` or `password_file`.
fn login(check: &Node) -> Result<Option<Login>, Wrong> {
    let password = credential(check, ["password", "password_file"])?;
    let user = check.get("user").map(|user| {
        let text = user.as_text().filter(|it| is_name(it) && !it.contains(':'));
        let wrong = || below(wrong(user, "the name of a user"), ".user");
        text.map(str::to_owned).ok_or_else(wrong)
    });
    match (user.transpose()?, password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some(Login { user, password })),
        (Some(_), None) => {
            let message = "a `user` needs a `password` or a `password_file`";
            Err(Wrong(check.span, String::new(), message.to_owned()))
        }
        (None, Some(_)) => {
            let message = "a password needs a `user`";
            Err(Wrong(check.span, String::new(), message.to_owned()))
        }
    }
}

/// Reads a secret, or the file that holds it; what stands there is not repeated.
fn credential(
    check: &Node,
    [key, file_key]: [&str; 2],
) -> Result<Option<Credential>, Wrong> {
    match (check.get(key), check.get(file_key)) {
        (None, None) => Ok(None),
        (Some(node), None) => {
            let text = scalar(node).filter(|text| !text.is_empty());
            let message = "it must be a text that is not empty; a variable is best";
            let wrong = || Wrong(node.span, format!(".{key}"), message.to_owned());
            Ok(Some(Credential::Text(Secret::new(text.ok_or_else(wrong)?))))
        }
        (None, Some(node)) => {
            let path = node.as_text().filter(|path| !path.is_empty());
            let wrong =
                || below(wrong(node, "the path of a file"), &format!(".{file_key}"));
            Ok(Some(Credential::File(PathBuf::from(path.ok_or_else(wrong)?))))
        }
        (Some(_), Some(_)) => {
            let message = format!("keep one of `{key}` and `{file_key}`");
            Err(Wrong(check.span, String::new(), message))
        }
    }
}

/// Returns the text of a text, and of a number that was meant as one.
fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Int(number) => Some(number.to_string()),
        Kind::Text(text) => Some(text.text.clone()),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Real(_)
        | Kind::Sequence(_)
        | Kind::Mapping(_) => None,
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && text.chars().all(|it| it.is_ascii_graphic())
}

/// Reads `HOST:PORT`.
fn place(node: &Node) -> Result<Place, Wrong> {
    const ALLOWED: &str =
        "a service or a host, and its port, such as `etcd:2379` or `127.0.0.1:19530`";
    let text = node.as_text().unwrap_or_default();
    place_of(text).ok_or_else(|| wrong(node, ALLOWED))
}

fn place_of(text: &str) -> Option<Place> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?,
        None => host,
    };
    let is_host = |it: char| it.is_ascii_alphanumeric() || "-._:".contains(it);
    let is_good = !host.is_empty() && host.chars().all(is_host);
    is_good.then(|| Place { host: host.to_owned(), port })
}

/// Reads `http://HOST:PORT/PATH`.
fn url(node: &Node, allowed: &str) -> Result<(Place, String), Wrong> {
    let text = node.as_text().unwrap_or_default();
    if text.starts_with("https:") {
        let message = "checks do not speak `https`: ask where it is not encrypted, or by a \
                       command under `exec`";
        return Err(Wrong(node.span, String::new(), message.to_owned()));
    }
    let rest = text.strip_prefix("http://").ok_or_else(|| wrong(node, allowed))?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.bytes().all(|it| it.is_ascii_digit()));
    let place =
        if has_port { place_of(authority) } else { place_of(&format!("{authority}:80")) };
    let is_plain = text.chars().all(|it| it.is_ascii_graphic() && it != '#');
    match place.filter(|_| is_plain) {
        Some(place) => Ok((place, path.to_owned())),
        None => Err(wrong(node, allowed)),
    }
}
