use super::*;

#[test]
fn probe() {
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
        for problem in loaded.problems.iter() {
            let at = problem.span.and_then(|span| loaded.sources.position(span));
            println!(
                "{at:?} {:?} {} | {} | {:?}",
                problem.severity, problem.path, problem.message, problem.help
            );
        }
        println!("{:#?}", loaded.desired);
        println!("{:?}", loaded.touched);
    }
}
