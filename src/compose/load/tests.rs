//! How files become a stack.

use super::*;

#[test]
fn the_files_of_the_guide_load_as_they_are() {
    let mut files: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    for name in ["docker-compose-prod.yml", "docker-compose-monitoring.yml", ".env"] {
        let path = format!("{}/tests/data/guide/{name}", env!("CARGO_MANIFEST_DIR"));
        files.insert(Path::new("/srv/guide").join(name), std::fs::read(path).unwrap());
    }
    for name in ["docker-compose-prod.yml", "docker-compose-monitoring.yml"] {
        let request = Request {
            files: vec![Path::new("/srv/guide").join(name)],
            env_files: vec![],
            project: None,
            profiles: BTreeSet::new(),
            environment: BTreeMap::new(),
            digest_key: DigestKey::new([7; 32]),
        };
        let loaded = load(&request, &files);
        let messages: Vec<&str> =
            loaded.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(!loaded.problems.has_errors(), "{name}: {messages:#?}");
        assert!(loaded.desired.is_some(), "{name}");
        assert!(loaded.touched.contains(Path::new("/srv/guide/.env")));
    }
}
