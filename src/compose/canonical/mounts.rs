//! Mounts: `[source:]target[:options]`.

use super::mapping::put;
use super::scalar::{is_sensitive, shown};
use super::{Path, Reader, text};
use crate::compose::attribute::shape::Shape;
use crate::compose::node::{Kind, Mapping, Node};
use crate::compose::problem::Span;

/// A mount in short form.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mount {
    source: Option<String>,
    target: String,
    read_only: bool,
    nocopy: bool,
    propagation: Option<String>,
    selinux: Option<String>,
    /// Options that mean nothing.
    unknown: Vec<String>,
}

impl Reader<'_> {
    /// Reads one item of a service's `volumes`.
    pub(super) fn mount(
        &mut self,
        node: Node,
        shape: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        let (span, sensitive, shown) = (node.span, is_sensitive(&node), shown(&node));
        if let Kind::Mapping(mapping) = node.kind {
            let kind = Kind::Mapping(self.entries(mapping, shape, path));
            self.require(&kind, "type", span, path);
            self.require(&kind, "target", span, path);
            return kind;
        }
        let Kind::Text(written) = self.text(&node, path) else { return Kind::Null };
        let mount = match parse(&written.text) {
            Ok(mount) => mount,
            Err(why) => {
                let message = format!("{shown} is no mount: {why}");
                self.problems.error(span, path.to_string(), message);
                return Kind::Null;
            }
        };
        self.doubts(&mount, sensitive, span, path);
        // Compose has no options at all for the shortest of targets.
        let tiny = written.text.len() <= 2;
        Kind::Mapping(long(mount, sensitive, tiny, span))
    }

    /// Warns of what is accepted, but hardly meant.
    fn doubts(&mut self, mount: &Mount, sensitive: bool, span: Span, path: &Path<'_>) {
        if !sensitive && is_drive(&mount.target) {
            self.problems
                .warning(
                    span,
                    path.to_string(),
                    "one letter before `:` is a Windows drive, not a volume",
                )
                .help("give the volume a longer name, or use the long form");
        }
        for option in &mount.unknown {
            let message = if sensitive {
                "an option is unknown and ignored".to_owned()
            } else {
                format!("the option `{option}` is unknown and ignored")
            };
            self.problems.warning(span, path.to_string(), message);
        }
    }
}

/// Makes the long form.
fn long(mount: Mount, sensitive: bool, tiny: bool, span: Span) -> Mapping {
    let mut mapping = Mapping::new();
    let mut options = Mapping::new();
    if let Some(propagation) = mount.propagation {
        put(&mut options, "propagation", text(propagation, false), span);
    }
    if let Some(selinux) = mount.selinux {
        put(&mut options, "selinux", text(selinux, false), span);
    }
    if mount.source.as_deref().is_some_and(is_path) {
        put(&mut options, "create_host_path", Kind::Bool(true), span);
        put(&mut mapping, "type", text("bind", false), span);
        put(&mut mapping, "bind", Kind::Mapping(options), span);
    } else {
        put(&mut mapping, "type", text("volume", false), span);
        if !options.is_empty() {
            put(&mut mapping, "bind", Kind::Mapping(options), span);
        }
        if !tiny {
            let mut volume = Mapping::new();
            if mount.nocopy {
                put(&mut volume, "nocopy", Kind::Bool(true), span);
            }
            put(&mut mapping, "volume", Kind::Mapping(volume), span);
        }
    }
    if let Some(source) = mount.source {
        put(&mut mapping, "source", text(source, sensitive), span);
    }
    put(&mut mapping, "target", text(clean(&mount.target), sensitive), span);
    if mount.read_only {
        put(&mut mapping, "read_only", Kind::Bool(true), span);
    }
    mapping
}

/// Reads a mount in short form.
fn parse(written: &str) -> Result<Mount, String> {
    if written.is_empty() {
        return Err("it is empty".to_owned());
    }
    let sections = sections(written);
    if sections.iter().any(String::is_empty) {
        return Err("there is nothing before, after or between colons".to_owned());
    }
    let mut mount = Mount::default();
    let mut sections = sections.into_iter();
    match (sections.next(), sections.next()) {
        (Some(source), Some(target)) => {
            mount.source = Some(source);
            mount.target = target;
        }
        (Some(target), None) => mount.target = target,
        (None, _) => {}
    }
    for option in sections.next().iter().flat_map(|options| options.split(',')) {
        match option {
            "ro" => mount.read_only = true,
            "rw" => mount.read_only = false,
            "nocopy" => mount.nocopy = true,
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                mount.propagation = Some(option.to_owned());
            }
            "z" | "Z" => mount.selinux = Some(option.to_owned()),
            unknown => mount.unknown.push(unknown.to_owned()),
        }
    }
    if sections.next().is_some() {
        return Err("there are too many colons".to_owned());
    }
    Ok(mount)
}

/// Splits at colons, except after the one letter of a Windows drive.
fn sections(written: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for letter in written.chars() {
        let Some(section) = sections.last_mut() else { continue };
        let drive =
            section.chars().count() == 1 && section.chars().all(char::is_alphabetic);
        if letter == ':' && !drive {
            sections.push(String::new());
        } else {
            section.push(letter);
        }
    }
    sections
}

/// Tells whether a source is a path of the host and not the name of a volume.
fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~']) || source.starts_with(r"\\") || is_drive(source)
}

/// Tells whether text begins with a Windows drive.
fn is_drive(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(char::is_alphabetic) && letters.next() == Some(':')
}

/// Cleans a path as text: `/b/../c//` becomes `/c`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.as_str()) {
        (true, _) => format!("/{joined}"),
        (false, "") => ".".to_owned(),
        (false, _) => joined,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_letter_before_a_colon_is_a_drive() {
        assert_eq!(parse("v:/data").expect("a mount").target, "v:/data");
        let mount = parse(r"C:\a:/b").expect("a mount");
        assert_eq!(mount.source.as_deref(), Some(r"C:\a"));
        assert!(is_path(r"C:\a"));
    }

    #[test]
    fn colons_are_counted() {
        assert!(parse("/a::/c").is_err());
        assert!(parse("/a:/b:ro:x").is_err());
        assert!(parse(":/a").is_err());
        assert!(parse("").is_err());
    }

    #[test]
    fn a_target_is_cleaned() {
        for (path, cleaned) in [
            ("/b/../c//", "/c"),
            ("/", "/"),
            ("/..", "/"),
            ("a/./b", "a/b"),
            ("a/..", "."),
            ("../a", "../a"),
        ] {
            assert_eq!(clean(path), cleaned);
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(written in "[a-zA-Z:/.,~ä\\\\]{0,24}") {
            let _mount = parse(&written);
        }
    }
}
