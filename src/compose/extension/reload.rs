//! `reload: {signal, test}` and `content: [PATH]`.

use super::super::node::{Kind, Node};
use super::super::problem::nearest;
use super::{ServiceExtension, Wrong, texts, wrong};
use crate::state::desired::ReloadSettings;
use crate::state::secret::Secret;

/// The signals that somebody may mean, without their prefix. Those that end or freeze any
/// process take nothing up.
const SIGNALS: &[&str] =
    &["HUP", "USR1", "USR2", "WINCH", "INT", "QUIT", "TERM", "ALRM", "CONT", "URG", "IO"];

/// Reads `reload`.
pub(super) fn read(node: &Node, service: &mut ServiceExtension) -> Result<(), Wrong> {
    const ALLOWED: &str = "a mapping such as `{signal: SIGHUP, test: [nginx, -t]}`";
    let mapping = node.as_mapping().ok_or_else(|| wrong(node, ALLOWED))?;
    if let Some((key, entry)) =
        mapping.iter().find(|(key, _)| !["signal", "test"].contains(&key.as_str()))
    {
        let near = nearest(key, ["signal", "test"]);
        let near = near.map(|near| format!("; perhaps `{near}` was meant"));
        let message = format!(
            "`reload` has no key `{key}`; it has `signal` and `test`{}",
            near.unwrap_or_default()
        );
        return Err(Wrong(entry.key, format!(".{key}"), message));
    }
    let Some(signal) = node.get("signal") else {
        let message = "it does not say which `signal` takes changed content up, such as \
                       SIGHUP";
        return Err(Wrong(node.span, String::new(), message.to_owned()));
    };
    let signal = self::signal(signal).map_err(|it| below(it, ".signal"))?;
    let test = node.get("test").filter(|test| !test.is_null());
    let test = test
        .map_or(Ok(Vec::new()), |test| command(test).map_err(|it| below(it, ".test")))?;
    service.settings.reload = Some(ReloadSettings { signal, test });
    Ok(())
}

pub(super) fn below(Wrong(span, _, message): Wrong, path: &str) -> Wrong {
    Wrong(span, path.to_owned(), message)
}

fn signal(node: &Node) -> Result<String, Wrong> {
    let allowed = format!("a signal: SIG{}", SIGNALS.join(", SIG"));
    let text = node.as_text().unwrap_or_default().to_ascii_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    if SIGNALS.contains(&name) {
        Ok(format!("SIG{name}"))
    } else {
        Err(wrong(node, &allowed))
    }
}

/// Reads a command: words, or a line for the shell of the container.
pub(super) fn command(node: &Node) -> Result<Vec<Secret>, Wrong> {
    const ALLOWED: &str = "a command: a list of words, or a line for `/bin/sh -c`";
    let words = match &node.kind {
        Kind::Text(line) if !line.text.trim().is_empty() => {
            vec!["/bin/sh".to_owned(), "-c".to_owned(), line.text.clone()]
        }
        Kind::Sequence(_) => texts(node)?,
        Kind::Null
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Real(_)
        | Kind::Text(_)
        | Kind::Mapping(_) => return Err(wrong(node, ALLOWED)),
    };
    if words.first().is_none_or(String::is_empty) {
        return Err(wrong(node, ALLOWED));
    }
    Ok(words.into_iter().map(Secret::new).collect())
}

/// Reads `content`.
pub(super) fn content(node: &Node, service: &mut ServiceExtension) -> Result<(), Wrong> {
    const MOST: usize = 64;
    let paths = texts(node)?;
    if paths.len() > MOST || paths.iter().any(String::is_empty) {
        return Err(wrong(node, "a list of at most 64 paths of this host"));
    }
    service.settings.content = paths;
    Ok(())
}
