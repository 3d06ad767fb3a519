//! Relative paths become absolute: they are against the folder of the first file.

use std::path::{Component, Path, PathBuf};

use super::node::{Kind, Node};
use super::problem::Problems;

/// Against what paths are taken, and where they may lead.
#[derive(Clone, Copy, Debug)]
pub struct Resolution<'a> {
    /// The folder of the first file.
    pub folder: &'a Path,
    /// The home of the caller.
    pub home: Option<&'a str>,
    /// What no relative path may lead out of, and no container may write into.
    pub checkout: Option<&'a Path>,
}

impl Resolution<'_> {
    /// Makes every path of the host in a stack absolute; `~` is the home of the caller.
    pub fn make_absolute(&self, root: &mut Node, problems: &mut Problems) {
        let services = root.get_mut("services").into_iter().flat_map(Node::entries_mut);
        for (name, service) in services {
            self.resolve_service(name, &mut service.node, problems);
        }
        for family in ["configs", "secrets"] {
            let files = root.get_mut(family).into_iter().flat_map(Node::entries_mut);
            for (name, file) in files {
                let at = format!("{family}.{name}.file");
                self.resolve(file.node.get_mut("file"), &at, problems);
            }
        }
        let volumes = root.get_mut("volumes").into_iter().flat_map(Node::entries_mut);
        for (name, volume) in volumes {
            let at = format!("volumes.{name}.driver_opts.device");
            let options =
                volume.node.get_mut("driver_opts").filter(|options| is_bind(options));
            let device = options.and_then(|options| options.get_mut("device"));
            self.resolve_written(device, &at, problems);
        }
    }

    fn resolve_service(&self, name: &str, service: &mut Node, problems: &mut Problems) {
        let at = format!("services.{name}.volumes");
        for mount in service.get_mut("volumes").into_iter().flat_map(Node::items_mut) {
            if mount.get("type").and_then(Node::as_text) != Some("bind") {
                continue;
            }
            let read_only = mount.get("read_only").map(|node| &node.kind);
            if matches!(read_only, Some(Kind::Bool(true))) {
                self.resolve(mount.get_mut("source"), &at, problems);
            } else {
                self.resolve_written(mount.get_mut("source"), &at, problems);
            }
        }
        let at = format!("services.{name}.env_file");
        for file in service.get_mut("env_file").into_iter().flat_map(Node::items_mut) {
            self.resolve(file.get_mut("path"), &at, problems);
        }
        let build = service.get_mut("build");
        let context = build.and_then(|build| build.get_mut("context"));
        let at = format!("services.{name}.build.context");
        self.resolve(context.filter(|context| is_local(context)), &at, problems);
    }

    /// Makes a path absolute that containers write to.
    fn resolve_written(
        &self,
        node: Option<&mut Node>,
        at: &str,
        problems: &mut Problems,
    ) {
        let Some(node) = node else { return };
        let span = node.span;
        if !self.resolve(Some(&mut *node), at, problems) {
            return;
        }
        let text = node.as_text().unwrap_or_default();
        if self.checkout.is_some_and(|checkout| Path::new(text).starts_with(checkout)) {
            let message = "a container would write into the files that come from git";
            problems.error(span, at, message).help(
                "the next commit would find it changed, and data does not belong there: \
                 name a folder of the host by its absolute path, take a volume, or mount \
                 it read-only",
            );
        }
    }

    /// Makes a path absolute; tells whether it leads where it may.
    fn resolve(
        &self,
        node: Option<&mut Node>,
        at: &str,
        problems: &mut Problems,
    ) -> bool {
        let Some(node) = node else { return true };
        let span = node.span;
        let Kind::Text(text) = &mut node.kind else { return true };
        if text.text.is_empty() {
            return true;
        }
        let given = std::mem::take(&mut text.text);
        text.text = absolute(&given, self.folder, self.home);
        let is_relative = !given.starts_with(['/', '~']);
        let leaves =
            self.checkout.is_some_and(|it| !Path::new(&text.text).starts_with(it));
        if is_relative && leaves {
            let message = format!("the path {given} leads out of the repository");
            problems.error(span, at, message).help(
                "what the host has is named by its absolute path; everything else belongs \
                 into the repository",
            );
        }
        !(is_relative && leaves)
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
