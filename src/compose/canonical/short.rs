//! The short forms that are one text: secrets, configs, devices, files and the like.

use super::mapping::{fill, put, text_of};
use super::scalar::{self, Scalar, is_sensitive, shown};
use super::{Path, Reader, text};
use crate::compose::attribute::shape::{Shape, Short};
use crate::compose::node::{Kind, Mapping, Node};

impl Reader<'_> {
    /// Reads text in a short form, or the mapping that it stands for.
    pub(super) fn short(
        &mut self,
        node: Node,
        short: Short,
        shape: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        match short {
            Short::Port => {
                let port = self.ports(node, shape, path).into_iter().next();
                port.map_or(Kind::Null, |port| port.kind)
            }
            Short::Mount => self.mount(node, shape, path),
            Short::Gpus => self.gpus(node, shape, path),
            Short::External => self.external(node, shape, path),
            Short::Device => self.device(node, shape, path),
            Short::Secret
            | Short::Config
            | Short::EnvFile
            | Short::BuildContext
            | Short::Extends
            | Short::Include => self.one_key(node, short, shape, path),
        }
    }

    /// Reads text that is the value of one key.
    fn one_key(
        &mut self,
        node: Node,
        short: Short,
        shape: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        let (span, sensitive) = (node.span, is_sensitive(&node));
        let key = match short {
            Short::Secret | Short::Config => "source",
            Short::EnvFile | Short::Include => "path",
            Short::BuildContext => "context",
            Short::Extends => "service",
            Short::Port
            | Short::Mount
            | Short::Gpus
            | Short::External
            | Short::Device => {
                return Kind::Null;
            }
        };
        let mut mapping = if let Kind::Mapping(mapping) = node.kind {
            self.entries(mapping, shape, path)
        } else {
            let read = self.text(&node, path);
            if matches!(read, Kind::Null) {
                return Kind::Null;
            }
            let read = if short == Short::Include {
                Kind::Sequence(vec![Node::new(read, span)])
            } else {
                read
            };
            let mut mapping = Mapping::new();
            put(&mut mapping, key, read, span);
            mapping
        };
        match short {
            Short::Secret => {
                if let Some(source) = text_of(&mapping, "source")
                    && !mapping.contains_key("target")
                {
                    let target = text(format!("/run/secrets/{source}"), sensitive);
                    put(&mut mapping, "target", target, span);
                }
            }
            Short::BuildContext => {
                if !mapping.contains_key(key) {
                    put(&mut mapping, key, text(".", false), span);
                }
            }
            Short::EnvFile => fill(&mut mapping, shape, span),
            Short::Config
            | Short::Extends
            | Short::Include
            | Short::Port
            | Short::Mount
            | Short::Gpus
            | Short::External
            | Short::Device => {}
        }
        let kind = Kind::Mapping(mapping);
        self.require(&kind, key, span, path);
        kind
    }

    /// Reads `host[:container[:permissions]]`.
    fn device(&mut self, node: Node, shape: &'static Shape, path: &Path<'_>) -> Kind {
        let (span, sensitive, shown) = (node.span, is_sensitive(&node), shown(&node));
        if let Kind::Mapping(mapping) = node.kind {
            let kind = Kind::Mapping(self.entries(mapping, shape, path));
            self.require(&kind, "source", span, path);
            self.require(&kind, "target", span, path);
            return kind;
        }
        let Kind::Text(written) = self.text(&node, path) else { return Kind::Null };
        let mut parts = written.text.split(':');
        let source = parts.next().unwrap_or_default();
        let target = parts.next().unwrap_or_default();
        let permissions = parts.next().unwrap_or("rwm");
        if parts.next().is_some() {
            self.problems
                .error(span, path.to_string(), format!("{shown} has too many colons"))
                .help("use the long form: `source`, `target`, `permissions`");
            return Kind::Null;
        }
        let target = if target.is_empty() { source } else { target };
        let mut mapping = Mapping::new();
        put(&mut mapping, "source", text(source, sensitive), span);
        put(&mut mapping, "target", text(target, sensitive), span);
        put(&mut mapping, "permissions", text(permissions, sensitive), span);
        Kind::Mapping(mapping)
    }

    /// Reads `all`, or a list of requests; one that names no devices asks for all.
    fn gpus(&mut self, node: Node, shape: &'static Shape, path: &Path<'_>) -> Kind {
        let span = node.span;
        let count = |mapping: &mut Mapping| {
            put(mapping, "count", Kind::Int(-1), span);
        };
        if node.as_text() == Some("all") {
            let mut mapping = Mapping::new();
            count(&mut mapping);
            return Kind::Sequence(vec![Node::new(Kind::Mapping(mapping), span)]);
        }
        let Kind::Sequence(items) = node.kind else {
            self.wrong(&node, "`all` or a list of requests", path);
            return Kind::Null;
        };
        let mut requests = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let (span, tag, path) = (item.span, item.tag, Path::Item(path, index));
            let Kind::Mapping(mapping) = item.kind else {
                self.wrong(&item, "a mapping", &path);
                continue;
            };
            let mut mapping = self.entries(mapping, shape, &path);
            if !mapping.contains_key("count") && !mapping.contains_key("device_ids") {
                count(&mut mapping);
            }
            requests.push(Node { kind: Kind::Mapping(mapping), span, tag });
        }
        Kind::Sequence(requests)
    }

    /// Reads true or false, or the older mapping, whose name was taken out before.
    fn external(&mut self, node: Node, shape: &'static Shape, path: &Path<'_>) -> Kind {
        if matches!(scalar::resolve(&node), Some(Scalar::Null)) {
            self.wrong(&node, "`true` or `false`", path);
            return Kind::Null;
        }
        if let Kind::Mapping(mapping) = node.kind {
            self.entries(mapping, shape, path);
            return Kind::Bool(true);
        }
        self.boolean(&node, path)
    }
}
