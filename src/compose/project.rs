//! The name of the project: the identity of a stack on its engine.

use std::path::Path;

use super::interpolate::template::expand;
use super::interpolate::variables::Variables;
use super::node::Node;
use super::problem::Problems;
use crate::state::ids::ProjectName;

/// The variable that names the project, and that files may name in turn.
pub const VARIABLE: &str = "COMPOSE_PROJECT_NAME";

/// Decides the name of the project: the one asked for, else the one of the environment,
/// else the `name` of the last file that has one, else that of the folder.
///
/// The first two must be valid as they are; the others are brought into form.
pub fn name(
    asked: Option<&str>,
    variables: &Variables,
    documents: &[Node],
    folder: &Path,
    problems: &mut Problems,
) -> Option<ProjectName> {
    let from_environment = variables.text(VARIABLE).filter(|name| !name.is_empty());
    let given = asked
        .map(|name| (name, "--project-name"))
        .or_else(|| from_environment.map(|name| (name, VARIABLE)));
    if let Some((name, origin)) = given {
        return strict(name, origin, problems);
    }
    let written = documents.iter().rev().find_map(|document| document.get("name"));
    if let Some((node, text)) = written.and_then(|node| Some((node, node.as_text()?))) {
        let expanded = expand(text, &|name| variables.get(name)).text;
        let name = normalise(&expanded);
        if name.is_empty() {
            problems
                .error(node.span, "name", "this leaves no name for the project")
                .help("a name has small letters, digits, `-` and `_`");
            return None;
        }
        if name != expanded {
            let message = format!("the project is called `{name}`, not `{expanded}`");
            problems
                .warning(node.span, "name", message)
                .help("a name has small letters, digits, `-` and `_`");
        }
        return Some(ProjectName::new(name));
    }
    let base = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = normalise(&base.unwrap_or_default());
    if name.is_empty() {
        problems
            .error(None, "name", "the project has no name, and its folder lends none")
            .help("write `name: …` at the top of the file");
        return None;
    }
    Some(ProjectName::new(name))
}

fn strict(name: &str, origin: &str, problems: &mut Problems) -> Option<ProjectName> {
    let normal = normalise(name);
    if normal == name {
        return Some(ProjectName::new(name));
    }
    let message = format!("`{name}`, given by {origin}, is no name for a project");
    let problem = problems.error(None, "name", message);
    if normal.is_empty() {
        problem.help("a name has small letters, digits, `-` and `_`");
    } else {
        problem.help(format!("`{normal}` would be one"));
    }
    None
}

/// Brings a name into form: small letters, digits, `-` and `_`, a letter or digit first.
pub fn normalise(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .filter(|c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_')
        })
        .collect();
    kept.trim_start_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::problem::Sources;
    use super::super::yaml;
    use super::*;

    fn named(asked: Option<&str>, environment: &[(&str, &str)], text: &str) -> String {
        let (mut sources, mut problems) = (Sources::default(), Problems::default());
        let file = sources.add("f.yaml".into(), text.to_owned());
        let documents = yaml::parse(file, text, &mut problems).unwrap();
        let environment: BTreeMap<String, String> = environment
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let variables = Variables::from_environment(&environment);
        let folder = Path::new("/srv/My_Proj.2-X");
        let name = name(asked, &variables, &documents, folder, &mut problems);
        name.map_or_else(
            || problems.iter().map(|problem| problem.message.clone()).collect(),
            |name| name.to_string(),
        )
    }

    #[test]
    fn whoever_is_nearer_names_the_project() {
        let file = "name: file\n---\nname: last\n";
        let environment = [("COMPOSE_PROJECT_NAME", "env"), ("X", "x")];
        assert_eq!(named(Some("flag"), &environment, file), "flag");
        assert_eq!(named(None, &environment, file), "env");
        assert_eq!(named(None, &[], file), "last");
        assert_eq!(named(None, &[], "services: {}"), "my_proj2-x");
        assert_eq!(named(None, &environment[1..], "name: a-$X"), "a-x");
    }

    #[test]
    fn names_of_files_are_brought_into_form_and_others_must_be_valid() {
        assert_eq!(named(None, &[], "name: Bad.Name"), "badname");
        assert_eq!(named(None, &[], "name: _-x"), "x");
        assert!(named(Some("Bad.Name"), &[], "").contains("is no name for a project"));
        assert!(named(None, &[("COMPOSE_PROJECT_NAME", "A")], "").contains("no name"));
        assert!(named(None, &[], "name: '...'").contains("leaves no name"));
    }
}
