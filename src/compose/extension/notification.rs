//! `notify: {url | url_file, severity, on}`, or a list of such.
//!
//! A URL is a secret: no message repeats what was found in its place.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::node::{Kind, Node};
use super::super::problem::nearest;
use super::reload::below;
use super::{StackExtension, Wrong, texts, wrong};
use crate::state::notice::{Address, NoticeKind, NotifySettings, Severity, WebhookUrl};

const KEYS: [&str; 4] = ["url", "url_file", "severity", "on"];

/// How many may be told.
const MOST: usize = 16;

/// Reads `notify`.
pub(super) fn read(node: &Node, stack: &mut StackExtension) -> Result<(), Wrong> {
    if !matches!(node.kind, Kind::Sequence(_)) {
        stack.settings.notify = vec![one(node)?];
        return Ok(());
    }
    if node.items().len() > MOST {
        return Err(wrong(
            node,
            "a mapping such as `{url_file: PATH}`, or at most 16 of them",
        ));
    }
    let each = node.items().iter().enumerate();
    let each = each.map(|(number, item)| {
        one(item).map_err(|Wrong(span, path, message)| {
            Wrong(span, format!("[{number}]{path}"), message)
        })
    });
    stack.settings.notify = each.collect::<Result<_, _>>()?;
    Ok(())
}

fn one(node: &Node) -> Result<NotifySettings, Wrong> {
    let mapping = node.as_mapping().ok_or_else(|| {
        let message = "it must be a mapping such as `{url_file: PATH}`";
        Wrong(node.span, String::new(), message.to_owned())
    })?;
    if let Some((key, entry)) =
        mapping.iter().find(|(key, _)| !KEYS.contains(&key.as_str()))
    {
        let near = nearest(key, KEYS);
        let near = near.map(|near| format!("; perhaps `{near}` was meant"));
        let message = format!("`notify` has no key `{key}`{}", near.unwrap_or_default());
        return Err(Wrong(entry.key, format!(".{key}"), message));
    }
    let severity = node.get("severity").map(severity).transpose();
    let on = node.get("on").map(kinds).transpose();
    Ok(NotifySettings {
        to: address(node)?,
        severity: severity.map_err(|it| below(it, ".severity"))?.unwrap_or_default(),
        on: on.map_err(|it| below(it, ".on"))?.unwrap_or_default(),
    })
}

fn address(node: &Node) -> Result<Address, Wrong> {
    let message = |text: &str| Wrong(node.span, String::new(), text.to_owned());
    match (node.get("url"), node.get("url_file")) {
        (Some(url), None) => {
            let text = url.as_text().unwrap_or_default();
            let url = WebhookUrl::parse(text)
                .map_err(|error| Wrong(url.span, ".url".to_owned(), error.to_string()))?;
            Ok(Address::Url(url))
        }
        (None, Some(file)) => {
            let path = file.as_text().filter(|path| !path.is_empty());
            let path = path.ok_or_else(|| wrong(file, "the path of a file"));
            Ok(Address::File(PathBuf::from(path.map_err(|it| below(it, ".url_file"))?)))
        }
        (None, None) => Err(message("it does not say where: write `url` or `url_file`")),
        (Some(_), Some(_)) => {
            Err(message("it says twice where: keep one of `url` and `url_file`"))
        }
    }
}

fn severity(node: &Node) -> Result<Severity, Wrong> {
    let known = [Severity::Info, Severity::Error];
    let found = known.into_iter().find(|it| node.as_text() == Some(it.as_str()));
    found.ok_or_else(|| wrong(node, "`info` or `error`"))
}

fn kinds(node: &Node) -> Result<BTreeSet<NoticeKind>, Wrong> {
    let known = NoticeKind::ALL.map(NoticeKind::as_str).join("`, `");
    let kind = |(word, item): (String, &Node)| {
        let found = NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| wrong(item, &format!("one of `{known}`")))
    };
    texts(node)?.into_iter().zip(node.items()).map(kind).collect()
}
