//! From files to canonical JSON, as the loader does it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use reconciler::compose::interpolate::Interpolation;
use reconciler::compose::interpolate::variables::Variables;
use reconciler::compose::node::{Kind, Node};
use reconciler::compose::problem::{Problems, Sources, Span};
use reconciler::compose::{canonical, merge, render, yaml};
use reconciler::state::value::Value;
use serde_json::{Value as Json, json};

/// Returns the canonical JSON of files, or nothing and their problems.
pub(crate) fn canonical(files: &[PathBuf]) -> (Option<Json>, String) {
    let (stack, problems) = merged(files);
    let folder = files[0].parent().expect("a folder");
    let json = stack.map(|stack| normalised(render::json(&stack), folder));
    (json.map(double_dollars), problems)
}

/// Returns the merged stack of files, or nothing and their problems.
pub(crate) fn merged(files: &[PathBuf]) -> (Option<Value>, String) {
    let texts = files.iter().map(|path| {
        (path.clone(), std::fs::read_to_string(path).expect("a readable file"))
    });
    load(texts.collect())
}

/// Returns the stack of one text.
pub(crate) fn from_text(text: &str) -> Result<Value, String> {
    match load(vec![("again.yaml".into(), text.to_owned())]) {
        (Some(stack), _) => Ok(stack),
        (None, problems) => Err(problems),
    }
}

fn load(texts: Vec<(PathBuf, String)>) -> (Option<Value>, String) {
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let environment: BTreeMap<String, String> = super::VARIABLES
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let variables = Variables::from_environment(&environment);
    let mut interpolation = Interpolation::new(&variables);
    let nowhere = Span { file: 0, start: 0, end: 0 };
    let mut root = Node::new(Kind::Mapping(BTreeMap::default()), nowhere);
    for (path, text) in texts {
        let file = sources.add(path, text.clone());
        let documents = yaml::parse(file, &text, &mut problems).unwrap_or_default();
        for mut document in documents {
            interpolation.interpolate(&mut document, "", &sources, &mut problems);
            root = merge::merge(root, canonical::canonicalise(document, &mut problems));
        }
    }
    let mut shown = String::new();
    for problem in problems.iter() {
        let place = problem.span.and_then(|span| sources.position(span));
        let line = place.map_or(0, |(_, line, _)| line);
        writeln!(shown, "{line}: {}: {}", problem.path, problem.message).expect("text");
    }
    let stack = (!problems.has_errors()).then(|| render::canonical(&root));
    (stack, shown)
}

/// Does what the loader does after the merge.
fn normalised(mut stack: Json, folder: &Path) -> Json {
    let resolve = |name: &str| {
        let found = super::VARIABLES.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| json!(value))
    };
    if let Some(Json::Object(services)) = stack.get_mut("services") {
        services.retain(|_, service| service.get("profiles").is_none());
    }
    for (_, service) in entries(&mut stack, "services") {
        for place in ["/environment", "/build/args"] {
            if let Some(Json::Object(map)) = service.pointer_mut(place) {
                for (name, value) in map.iter_mut().filter(|(_, value)| value.is_null()) {
                    *value = resolve(name).unwrap_or_default();
                }
                map.retain(|_, value| place == "/environment" || !value.is_null());
            }
        }
        normalise_service(service, folder);
    }
    if stack.get("services").is_none() {
        stack["services"] = json!({});
    }
    keep_used(&mut stack);
    for (kind, service) in [("secrets", "file"), ("configs", "file")] {
        for (_, entry) in entries(&mut stack, kind) {
            absolute(entry, &format!("/{service}"), folder);
        }
    }
    stack
}

fn normalise_service(service: &mut Json, folder: &Path) {
    if service.get("networks").is_none() && service.get("network_mode").is_none() {
        service["networks"] = json!({"default": null});
    }
    if service.get("pull_policy") == Some(&json!("if_not_present")) {
        service["pull_policy"] = json!("missing");
    }
    for mount in
        service.pointer_mut("/volumes").and_then(Json::as_array_mut).into_iter().flatten()
    {
        if mount["type"] == "bind" {
            absolute(mount, "/source", folder);
        }
    }
    if let Some(build) = service.get_mut("build") {
        absolute(build, "/context", folder);
        if build.get("dockerfile").is_none() && build.get("dockerfile_inline").is_none() {
            build["dockerfile"] = json!("Dockerfile");
        }
    }
    if let Some(service) = service.as_object_mut() {
        service.remove("env_file");
    }
    implied_dependencies(service);
}

fn implied_dependencies(service: &mut Json) {
    let mut implied: Vec<(String, bool)> = Vec::new();
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(name) =
            service[key].as_str().and_then(|mode| mode.strip_prefix("service:"))
        {
            implied.push((name.to_owned(), true));
        }
    }
    for (key, restart) in [("links", true), ("volumes_from", false)] {
        for item in service[key].as_array().into_iter().flatten() {
            let item = item.as_str().expect("text");
            if !item.starts_with("container:") {
                implied
                    .push((item.split(':').next().unwrap_or(item).to_owned(), restart));
            }
        }
    }
    let object = service.as_object_mut().expect("a service");
    // Looking for a key must not have made it.
    object.retain(|key, value| {
        !value.is_null() || matches!(key.as_str(), "command" | "entrypoint")
    });
    for (name, restart) in implied {
        let depends_on = object.entry("depends_on").or_insert_with(|| json!({}));
        if depends_on.get(&name).is_none() {
            let mut dependency =
                json!({"condition": "service_started", "required": true});
            if restart {
                dependency["restart"] = json!(true);
            }
            depends_on[name] = dependency;
        }
    }
}

/// Names objects, and drops those that no service uses.
fn keep_used(stack: &mut Json) {
    let services = stack["services"].clone();
    for (kind, pointer) in [
        ("networks", "networks"),
        ("volumes", "volumes"),
        ("configs", "configs"),
        ("secrets", "secrets"),
    ] {
        let is_used = |key: &str| {
            services.as_object().into_iter().flatten().any(|(_, service)| match &service
                [pointer]
            {
                Json::Object(map) => map.contains_key(key),
                Json::Array(items) => items
                    .iter()
                    .any(|item| item["source"] == key && item["type"] != "bind"),
                _ => false,
            })
        };
        if kind == "networks" && stack.get(kind).is_none() {
            stack[kind] = json!({});
        }
        if kind == "networks" && stack[kind].get("default").is_none() {
            stack[kind]["default"] = json!(null);
        }
        let Some(Json::Object(map)) = stack.get_mut(kind) else { continue };
        map.retain(|key, _| is_used(key));
        for (key, entry) in map.iter_mut() {
            if entry.is_null() {
                *entry = json!({});
            }
            if kind == "networks" && entry.get("ipam").is_none() {
                entry["ipam"] = json!({});
            }
            if entry.get("name").is_none() {
                let external = entry.get("external") == Some(&json!(true));
                entry["name"] =
                    if external { json!(key) } else { json!(format!("oracle_{key}")) };
            }
        }
        if map.is_empty() {
            stack.as_object_mut().expect("a stack").remove(kind);
        }
    }
}

fn entries<'a>(
    stack: &'a mut Json,
    kind: &str,
) -> impl Iterator<Item = (&'a String, &'a mut Json)> {
    stack.get_mut(kind).and_then(Json::as_object_mut).into_iter().flatten()
}

fn absolute(json: &mut Json, pointer: &str, folder: &Path) {
    let Some(place) = json.pointer_mut(pointer) else { return };
    let Some(path) = place.as_str() else { return };
    let path = match path.strip_prefix("~/") {
        Some(rest) => Path::new(super::HOME).join(rest),
        None => folder.join(path),
    };
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    *place = json!(clean);
}

/// Doubles the dollars of every text, as `config` does.
fn double_dollars(json: Json) -> Json {
    let text = json.to_string().replace('$', "$$");
    serde_json::from_str(&text).expect("JSON")
}
