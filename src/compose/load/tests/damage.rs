//! Whatever the files are, a load ends with a stack or with located errors.

use proptest::prelude::*;

use super::*;

/// Pieces of Compose files, so that later phases are reached too.
fn nearly_compose() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "services:\n",
        "  a:\n",
        "  b: {image: x}\n",
        "    image: x\n",
        "    image: ${X:-y}\n",
        "    ports: ['80:80']\n",
        "    ports: [80]\n",
        "    depends_on: [b]\n",
        "    depends_on: {b: {condition: service_healthy}}\n",
        "    networks: [n]\n",
        "    network_mode: service:b\n",
        "    volumes: ['vol:/v', './x:/y']\n",
        "    environment: {A: $B, C: }\n",
        "    env_file: .env\n",
        "    deploy: {replicas: 2}\n",
        "    deploy: 1\n",
        "    scale: 9\n",
        "    mem_limit: 6m\n",
        "    healthcheck: {test: x}\n",
        "    profiles: [p]\n",
        "    x-reconciler: {job: true}\n",
        "    secrets: [s]\n",
        "    links: [b]\n",
        "    volumes_from: [a]\n",
        "    <<: *x\n",
        "x-x: &x {user: u}\n",
        "networks:\n",
        "  n: {ipam: {config: [{subnet: 10.0.0.0/8}]}}\n",
        "  n:\n",
        "volumes:\n",
        "  vol:\n",
        "secrets: {s: {environment: A}}\n",
        "name: n\n",
        "---\n",
        "x-reconciler: {sensitive: ['*']}\n",
        "    a: [1\n",
        "    ports: !reset []\n",
    ]);
    prop::collection::vec(line, 0..14).prop_map(|lines| lines.concat())
}

#[track_caller]
fn loads_or_says_why(files: &Scene) {
    let loaded = files.load();
    assert_eq!(loaded.desired.is_some(), !loaded.problems.has_errors());
    assert_eq!(loaded.desired.is_some(), loaded.canonical.is_some());
    if let Some(desired) = &loaded.desired {
        assert!(!desired.services.is_empty());
    }
    for problem in loaded.problems.iter() {
        let placed =
            problem.span.is_none_or(|span| loaded.sources.position(span).is_some());
        assert!(placed, "{problem:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_looks_like_compose_is_loaded_or_refused(
        one in nearly_compose(),
        two in nearly_compose(),
        env in "([A-C]=[$A-C\"']{0,3}\n){0,3}",
    ) {
        loads_or_says_why(&Scene::new([("f.yaml", &one)]));
        loads_or_says_why(&Scene::new([("f.yaml", &one), ("g.yaml", &two), (".env", &env)]));
    }

    #[test]
    fn a_damaged_production_file_is_loaded_or_refused(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, ".{0,3}"), 1..6),
    ) {
        let mut text = guide::PRODUCTION.to_owned();
        for (index, length, new) in cuts {
            let mut start = index.index(text.len());
            while !text.is_char_boundary(start) { start -= 1; }
            let mut end = (start + length).min(text.len());
            while !text.is_char_boundary(end) { end += 1; }
            text.replace_range(start..end, &new);
        }
        loads_or_says_why(&Scene::new([("f.yaml", &text)]));
    }

    #[test]
    fn no_bytes_stop_a_load(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut scene = Scene::new([("f.yaml", ""), (".env", "")]);
        for content in scene.files.values_mut() {
            content.clone_from(&bytes);
        }
        loads_or_says_why(&scene);
    }
}
