use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::load::{Loaded, Request, load};
use crate::state::content::Contents;
use crate::state::digest::DigestKey;

fn loaded(files: &[(&str, &str)]) -> Loaded {
    let files: BTreeMap<PathBuf, Vec<u8>> = files
        .iter()
        .map(|(path, text)| {
            (PathBuf::from(format!("/srv/{path}")), text.as_bytes().to_vec())
        })
        .collect();
    let request = Request {
        files: vec!["/srv/f.yaml".into()],
        env_files: Vec::new(),
        project: Some("p".to_owned()),
        profiles: std::collections::BTreeSet::new(),
        environment: BTreeMap::new(),
        digest_key: DigestKey::new([1; 32]),
        checkout: None,
    };
    load(&request, &files)
}

fn contents(loaded: &Loaded) -> Contents {
    loaded.desired.as_ref().unwrap().services["a"].contents.clone()
}

fn paths(loaded: &Loaded) -> Vec<String> {
    let contents = contents(loaded).into_iter();
    let paths =
        contents.flat_map(|(path, counted)| {
            let files = counted.files.into_keys();
            files.map(move |file| {
                if file.is_empty() { path.clone() } else { format!("{path}/{file}") }
            })
        });
    paths.collect()
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    loaded.problems.iter().map(|it| format!("{}: {}", it.path, it.message)).collect()
}

fn generation(loaded: &Loaded) -> String {
    loaded.desired.as_ref().unwrap().generation.to_string()
}

#[test]
fn configs_secrets_and_files_that_are_mounted_read_only_count() {
    let yaml = "
services:
  a:
    image: x
    configs: [site, {source: inline, target: /etc/inline}]
    secrets: [token]
    volumes: ['./a.conf:/etc/a.conf:ro', './data:/data', './folder:/etc/folder:ro']
configs:
  site: {file: ./site.conf}
  inline: {content: x}
secrets:
  token: {file: ./token}
";
    let files = |site| {
        loaded(&[
            ("f.yaml", yaml),
            ("a.conf", "a"),
            ("site.conf", site),
            ("token", "a-long-secret\n\n"),
            ("folder/b.conf", "b"),
            ("data/rows", "1"),
        ])
    };
    let one = files("one");
    assert_eq!(warnings(&one), Vec::<String>::new());
    assert_eq!(
        paths(&one),
        ["configs./site", "secrets./run/secrets/token", "volumes./etc/a.conf"]
    );
    assert!(contents(&one)["secrets./run/secrets/token"].is_secret);
    let service = &one.desired.as_ref().unwrap().services["a"];
    assert_eq!(service.unspeakable.len(), 1);
    assert!(!format!("{:?}", one.desired).contains("a-long-secret"));
    assert_eq!(generation(&one), generation(&files("one")));
    assert_ne!(generation(&one), generation(&files("two")));
    assert!(one.touched.contains(std::path::Path::new("/srv/a.conf")));
    assert!(!one.touched.contains(std::path::Path::new("/srv/folder/b.conf")));
}

#[test]
fn with_reload_what_is_in_folders_that_are_mounted_read_only_counts_too() {
    let yaml = "
services:
  a:
    image: x
    volumes: ['./conf:/etc/conf:ro', './data:/data']
    x-reconciler: {reload: {signal: HUP}, content: [./data/keys, ./beside]}
";
    let mut files = vec![
        ("f.yaml", yaml),
        ("conf/a.conf", "a"),
        ("conf/more/b.conf", "b"),
        ("data/rows", "1"),
        ("data/keys", "k"),
        ("beside", "x"),
    ];
    let one = loaded(&files);
    assert_eq!(
        paths(&one),
        [
            "volumes./etc/conf/a.conf",
            "volumes./etc/conf/more/b.conf",
            "x-reconciler.content./srv/beside",
            "x-reconciler.content./srv/data/keys",
        ]
    );
    let found = contents(&one);
    assert!(found["x-reconciler.content./srv/data/keys"].place.is_some());
    assert_eq!(found["x-reconciler.content./srv/beside"].place, None);
    files.push(("conf/more/c.conf", "c"));
    assert_ne!(generation(&loaded(&files)), generation(&one));
}

#[test]
fn what_does_not_count_although_it_looks_so_is_a_warning() {
    let service = |more: &str| {
        format!("services: {{a: {{image: x, volumes: ['./a.conf:/etc/a.conf']{more}}}}}")
    };
    let yaml = service("");
    let one = loaded(&[("f.yaml", &yaml), ("a.conf", "a")]);
    assert_eq!(paths(&one), Vec::<String>::new());
    assert_eq!(
        warnings(&one),
        ["services.a.volumes: a change of /srv/a.conf does nothing: it is mounted \
          writable, so its bytes do not count"]
    );
    let yaml = service(", x-reconciler: {content: [a.conf, none]}");
    let one = loaded(&[("f.yaml", &yaml), ("a.conf", "a")]);
    assert_eq!(paths(&one), ["x-reconciler.content./srv/a.conf"]);
    assert_eq!(
        warnings(&one),
        [
            "services.a.x-reconciler.content: /srv/none is no regular file of at most 1 MiB \
          now, so its bytes do not count"
        ]
    );
    let yaml = "services: {a: {image: x, volumes: ['./many:/etc/many:ro'],
        x-reconciler: {reload: {signal: HUP}}}}";
    let names: Vec<String> = (0..300).map(|number| format!("many/{number}")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|it| (it.as_str(), "")).collect();
    files.push(("f.yaml", yaml));
    let one = loaded(&files);
    assert!(contents(&one).is_empty());
    assert!(warnings(&one)[0].contains("there are more than 256 of them"));
    assert!(!one.touched.contains(std::path::Path::new("/srv/many")));
}
