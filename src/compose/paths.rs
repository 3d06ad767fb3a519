//! Relative paths become absolute: they are against the folder of the first file.

use std::path::{Component, Path, PathBuf};

use super::node::{Kind, Node};

/// Makes every path of the host in a stack absolute; `~` is the home of the caller.
pub fn make_absolute(root: &mut Node, folder: &Path, home: Option<&str>) {
    let resolve = |node: &mut Node| {
        if let Kind::Text(text) = &mut node.kind
            && !text.text.is_empty()
        {
            text.text = absolute(&text.text, folder, home);
        }
    };
    for (_, service) in root.get_mut("services").into_iter().flat_map(Node::entries_mut) {
        let service = &mut service.node;
        for mount in service.get_mut("volumes").into_iter().flat_map(Node::items_mut) {
            if mount.get("type").and_then(Node::as_text) == Some("bind") {
                mount.get_mut("source").into_iter().for_each(resolve);
            }
        }
        for file in service.get_mut("env_file").into_iter().flat_map(Node::items_mut) {
            file.get_mut("path").into_iter().for_each(resolve);
        }
        let build = service.get_mut("build");
        let context = build.and_then(|build| build.get_mut("context"));
        context.filter(|context| is_local(context)).into_iter().for_each(resolve);
    }
    for family in ["configs", "secrets"] {
        for (_, file) in root.get_mut(family).into_iter().flat_map(Node::entries_mut) {
            file.node.get_mut("file").into_iter().for_each(resolve);
        }
    }
    for (_, volume) in root.get_mut("volumes").into_iter().flat_map(Node::entries_mut) {
        let options =
            volume.node.get_mut("driver_opts").filter(|options| is_bind(options));
        let device = options.and_then(|options| options.get_mut("device"));
        device.into_iter().for_each(resolve);
    }
}

/// Tells whether a build context is a folder, and no address.
fn is_local(context: &Node) -> bool {
    context.as_text().is_some_and(|text| {
        !text.contains("://")
            && !text.starts_with("git@")
            && !text.starts_with("github.com/")
    })
}

/// Tells whether the options of a local volume make it a folder of the host.
fn is_bind(options: &Node) -> bool {
    let text = |key| options.get(key).and_then(Node::as_text).unwrap_or_default();
    matches!(text("type"), "" | "none")
        && text("o").split(',').any(|option| option == "bind")
}

/// Makes a path absolute, without looking at the file system.
pub fn absolute(path: &str, folder: &Path, home: Option<&str>) -> String {
    let in_home =
        path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let joined = match (in_home, home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest.trim_start_matches('/')),
        (Some(_) | None, _) if Path::new(path).is_absolute() => return path.to_owned(),
        (Some(_) | None, _) => folder.join(path),
    };
    clean(&joined).to_string_lossy().into_owned()
}

/// Resolves `.` and `..` in a path by its text.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                clean.push(component);
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_against_the_folder_and_the_home() {
        let path = |path| absolute(path, Path::new("/srv/stack"), Some("/home/me"));
        assert_eq!(path("./x"), "/srv/stack/x");
        assert_eq!(path("x/./y/"), "/srv/stack/x/y");
        assert_eq!(path("../x"), "/srv/x");
        assert_eq!(path("../../../../x"), "/x");
        assert_eq!(path("."), "/srv/stack");
        assert_eq!(path("/a/../b"), "/a/../b");
        assert_eq!(path("~"), "/home/me");
        assert_eq!(path("~/x"), "/home/me/x");
        assert_eq!(path("~x"), "/srv/stack/~x");
        assert_eq!(absolute("~/x", Path::new("/srv"), None), "/srv/~/x");
    }
}
