//! Lists of any shape.

use super::{Path, Reader};
use crate::compose::attribute::shape::{Shape, Short};
use crate::compose::node::{Kind, Node, Tag};

impl Reader<'_> {
    /// Reads a list.
    pub(super) fn list(
        &mut self,
        node: Node,
        inner: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        if let Kind::Sequence(items) = node.kind {
            return Kind::Sequence(self.items(items, inner, path));
        }
        let problem = self.wrong(&node, "a list", path);
        if matches!(node.kind, Kind::Text(_)) {
            problem.help("write `- ` before the one item");
        }
        Kind::Null
    }

    /// Reads a list, or one item without its list.
    pub(super) fn one_or_more(
        &mut self,
        node: Node,
        inner: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        match node.kind {
            Kind::Sequence(items) => Kind::Sequence(self.items(items, inner, path)),
            Kind::Null => {
                self.wrong(&node, "a list", path);
                Kind::Null
            }
            Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Text(_)
            | Kind::Mapping(_) => {
                // The tag is of the list that is made here, not of its item.
                let item = Node { tag: Tag::None, ..node };
                Kind::Sequence(self.items(vec![item], inner, path))
            }
        }
    }

    /// Reads items; one short form may stand for several.
    fn items(
        &mut self,
        items: Vec<Node>,
        inner: &'static Shape,
        path: &Path<'_>,
    ) -> Vec<Node> {
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let path = Path::Item(path, index);
            if item.tag == Tag::Reset {
                continue;
            }
            if matches!(inner, Shape::Short(Short::Port, _)) {
                read.extend(self.ports(item, inner, &path));
            } else {
                read.push(self.read(item, inner, &path));
            }
        }
        read
    }
}
