//! Files that come from git.

use super::*;

fn from_git(yaml: &str) -> Scene {
    let mut scene = Scene::new([("compose.yaml", yaml), ("a.env", "A=1\n")]);
    scene.request.checkout = Some("/srv".into());
    scene
}

#[test]
fn relative_paths_may_not_lead_out_of_the_repository() {
    let yaml = "
services:
  web:
    image: web:1
    env_file: [a.env, {path: ../../b.env, required: false}]
    volumes: ['../app/conf:/conf:ro', '../../etc:/etc/host:ro', '/etc:/etc/also:ro', '~/x:/x:ro']
    configs: [inside, outside]
configs:
  inside: {file: ../app/a.env}
  outside: {file: ../../../../etc/hosts}
";
    let errors = from_git(yaml).errors();
    assert_eq!(errors.len(), 3, "{errors:?}");
    for path in ["../../b.env", "../../etc", "../../../../etc/hosts"] {
        let expected = format!("the path {path} leads out of the repository");
        assert!(errors.iter().any(|error| error.contains(&expected)), "{errors:?}");
    }
    let mut elsewhere = from_git(yaml);
    elsewhere.request.checkout = None;
    assert_eq!(shown(&elsewhere.load(), Severity::Error), Vec::<String>::new());
}

#[test]
fn containers_may_not_write_into_files_that_come_from_git() {
    let yaml = "
services:
  db:
    image: db:1
    volumes: ['./data:/data', '/srv/app/more:/more', './conf:/conf:ro', '/disk:/disk', 'named:/named']
volumes:
  named: {driver_opts: {type: none, o: bind, device: ./volume}}
";
    let errors = from_git(yaml).errors();
    let written = |error: &&String| error.contains("would write into the files");
    assert_eq!(errors.iter().filter(written).count(), 3, "{errors:?}");
    assert_eq!(errors.len(), 3, "{errors:?}");
}
