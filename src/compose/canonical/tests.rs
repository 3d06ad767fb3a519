use proptest::prelude::*;

use super::*;
use crate::compose::attribute::Attribute;
use crate::compose::problem::{Severity, Sources, Span};
use crate::compose::yaml;
use crate::state::secret::CONCEALED;

fn read(text: &str) -> (Node, String) {
    let mut problems = Problems::default();
    let mut sources = Sources::default();
    let file = sources.add("a.yaml".into(), text.to_owned());
    let document = yaml::parse(file, text, &mut problems).expect("YAML").remove(0);
    let node = canonicalise(document, &mut problems);
    problems.sort();
    (node, shown(&problems, &sources))
}

fn shown(problems: &Problems, sources: &Sources) -> String {
    let lines = problems.iter().map(|problem| {
        let place = problem.span.and_then(|span| sources.position(span));
        let (line, column) = place.map_or((0, 0), |(_, line, column)| (line, column));
        let kind = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let help = problem.help.iter().map(|help| format!("\n  {help}"));
        let help: String = help.collect();
        format!("{line}:{column}: {kind}: {}: {}{help}", problem.path, problem.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn problems(text: &str) -> String {
    read(text).1
}

#[test]
fn all_problems_of_a_file_are_reported_at_once_with_place_and_path() {
    insta::assert_snapshot!(problems(
        "\
version: '3.8'
servises: {}
services:
  etcd:
    image: 3.5
    helathcheck: {test: x}
    healthcheck: {test: [curl, x], interval: 30, retries: many, intervall: 5s}
    ports: ['80:http', {published: 80}]
    mem_limit: 4 gigs
    stop_grace_period: soon
    privileged: yes
    read_only: perhaps
    restart: no
    depends_on: {minio: {condition: service_happy}}
    environment: {A: [1]}
    environnement: {A: 1}
    extends: base
    zzz: 1
    x-mine: {anything: [goes]}
    command: run && stop
"
    ), @"
    1:1: warning: version: `version` is ignored: it is obsolete and means nothing; the line can go
    2:1: error: servises: the key `servises` is unknown
      perhaps `services` was meant
    5:12: error: services.etcd.image: `3.5` is a number; text is needed
      write it in quotes: \"3.5\"
    6:5: error: services.etcd.helathcheck: the key `helathcheck` is unknown
      perhaps `healthcheck` was meant
    7:26: error: services.etcd.healthcheck.test: the list must begin with `CMD`, `CMD-SHELL` or `NONE`
    7:46: error: services.etcd.healthcheck.interval: `30` is a number; a duration such as `30s` is needed
      `30s` would be seconds
    7:59: error: services.etcd.healthcheck.retries: `many` is text; a whole number is needed
    7:65: error: services.etcd.healthcheck.intervall: the key `intervall` is unknown
      perhaps `interval` was meant
    8:13: error: services.etcd.ports[0]: `80:http` is no port: `http` is not a port inside the container (1 to 65535)
    8:24: error: services.etcd.ports[1]: the key `target` is missing
    9:16: error: services.etcd.mem_limit: `4 gigs` has the unknown unit `gigs`; the units are b, k, m, g, t, p
    10:24: error: services.etcd.stop_grace_period: `soon` is not a duration such as `30s`, `1m30s` or `500ms`
    11:17: warning: services.etcd.privileged: `yes` is text and is taken as true
      write `true`
    12:16: error: services.etcd.read_only: `perhaps` is text; `true` or `false` is needed
    14:37: error: services.etcd.depends_on.minio.condition: `service_happy` is not possible; allowed are `service_started`, `service_healthy`, `service_completed_successfully`
      perhaps `service_healthy` was meant
    15:22: error: services.etcd.environment.A: a list was found; text, a number, a boolean or nothing is needed
    16:5: error: services.etcd.environnement: the key `environnement` is unknown
      perhaps `environment` was meant
    17:5: error: services.etcd.extends: `extends` is not supported: services cannot extend others yet; write the attributes out, or share them with a YAML anchor
    18:5: error: services.etcd.zzz: the key `zzz` is unknown
      keys of your own begin with `x-`
    20:14: warning: services.etcd.command: `&& stop` is no part of the command: no shell reads it
      write `[\"sh\", \"-c\", \"…\"]` if a shell should read it
    ");
}

#[test]
fn what_is_ignored_is_said_once_and_only_when_written() {
    insta::assert_snapshot!(problems(
        "\
services:
  a:
    image: a
    deploy:
      placement: {}
      update_config: {delay: 5s, order: start-first}
      resources: {reservations: {cpus: 1, memory: 1g}}
    build: {context: ., secrets: [{source: s, uid: '1'}]}
    label_file: !reset null
    volumes: [{type: tmpfs, target: /t, consistency: cached}]
"
    ), @"
    7:34: warning: services.a.deploy.resources.reservations.cpus: `cpus` is ignored: an engine reserves no processors; `cpu_shares` gives weight when they are scarce
    8:5: warning: services.a.build: `build` is ignored: images are not built here; build it first and name it with `image`
    10:41: warning: services.a.volumes[0].consistency: `consistency` is ignored: it is for desktop engines only; mounts are always consistent here
    ");
}

#[test]
fn an_item_that_a_later_one_replaces_is_pointed_out() {
    insta::assert_snapshot!(problems(
        "services: {a: {volumes: ['/a:/t', '/b:/t'], ports: ['80:80', '80:80']}}"
    ), @"1:26: warning: services.a.volumes: a later item takes its place, so this one has no effect");
}

#[test]
fn a_one_letter_volume_is_a_drive_and_doubtful() {
    insta::assert_snapshot!(problems("services: {a: {volumes: ['v:/data', '/a:/b:fast']}}"), @"
    1:26: warning: services.a.volumes[0]: one letter before `:` is a Windows drive, not a volume
      give the volume a longer name, or use the long form
    1:37: warning: services.a.volumes[1]: the option `fast` is unknown and ignored
    ");
}

#[test]
fn a_document_must_be_a_mapping() {
    assert_eq!(problems("- a"), "1:1: error: : a list was found; a mapping is needed");
    assert_eq!(problems("~"), "1:1: error: : nothing was found; a mapping is needed");
}

#[test]
fn every_value_keeps_the_place_where_it_was_written() {
    let text = "services: {a: {ports: ['80:81'], environment: [A=b], dns: 1.1.1.1}}";
    let (node, shown) = read(text);
    assert_eq!(shown, "");
    let place = |path: &str| {
        let span = node.at(path).expect(path).span;
        text.get(span.start as usize..span.end as usize).expect("inside")
    };
    assert_eq!(place("services.a.environment.A"), "A=b");
    assert_eq!(place("services.a.dns"), "1.1.1.1");
    let port = node.at("services.a.ports").expect("ports").items()[0].clone();
    let target = port.get("target").expect("a target").span;
    assert_eq!(text.get(target.start as usize..target.end as usize), Some("'80:81'"));
}

/// Marks every text of a tree as sensitive.
fn tainted(mut node: Node) -> Node {
    match &mut node.kind {
        Kind::Text(text) => text.sensitive = true,
        Kind::Sequence(items) => {
            *items = std::mem::take(items).into_iter().map(tainted).collect();
        }
        Kind::Mapping(mapping) => {
            for entry in mapping.values_mut() {
                entry.node = tainted(entry.node.clone());
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) => {}
    }
    node
}

#[test]
fn no_problem_and_no_canonical_text_shows_a_secret() {
    let text = "\
services:
  a:
    image: 4711
    hostname: [hunter2]
    command: 'hunter2 && hunter2'
    entrypoint: \"hunter2 'x\"
    ports: ['hunter2:80', 'hunter2']
    volumes: ['h:/hunter2', '/a:/b:hunter2', '/a::hunter2']
    mem_limit: hunter2
    cpus: hunter2
    stop_grace_period: hunter2
    tty: hunter2
    environment: [A=hunter2, hunter2=x]
    labels: {a: hunter2}
    extra_hosts: [hunter2]
    devices: ['hunter2:a:b:c']
    cgroup: hunter2
    secrets: [{source: s, mode: hunter2}]
    healthcheck: {test: [hunter2], interval: hunter2, retries: hunter2}
    x-any: hunter2
";
    let mut problems = Problems::default();
    let document = yaml::parse(0, text, &mut problems).expect("YAML").remove(0);
    let node = canonicalise(tainted(document), &mut problems);
    let said = format!("{problems:?}");
    assert!(problems.iter().count() > 15);
    assert!(!said.contains("hunter2") && !said.contains("4711"), "{said}");
    assert!(!format!("{:?}", node.value()).contains("hunter2: "));
    for path in ["services.a.labels.a", "services.a.environment.A", "services.a.x-any"] {
        assert_eq!(node.at(path).expect(path).value().to_string(), CONCEALED, "{path}");
    }
}

#[test]
fn a_short_range_of_many_ports_does_not_exhaust_memory() {
    let many = "'1-65535', ".repeat(50);
    let said = problems(&format!("services: {{a: {{ports: [{many}]}}}}"));
    assert!(said.contains("more ports than one file may publish"), "{said}");
}

/// Every key of the tables, so that random trees meet them.
fn keys() -> Vec<String> {
    fn collect(shape: &'static Shape, keys: &mut Vec<String>) {
        for Attribute { key, shape, .. } in shape.rows() {
            keys.push((*key).to_owned());
            collect(shape.inner(), keys);
        }
    }
    let mut keys = Vec::new();
    collect(&stack::ROOT, &mut keys);
    collect(&crate::compose::attribute::service::SERVICE, &mut keys);
    keys.extend(["x-a", "a", "zzz"].map(str::to_owned));
    keys
}

fn any_node() -> impl Strategy<Value = Node> {
    let span = Span { file: 0, start: 0, end: 1 };
    let written = prop_oneof![
        prop::sample::select(vec![
            "",
            "5",
            "-1",
            "1.5",
            "true",
            "no",
            "80:80",
            "1-5",
            "a=b",
            "a:b:c",
            "1m",
            "1g",
            "all",
            "service_healthy",
            "2020-01-01",
            "/a:/b:ro",
            "CMD",
            "a 'b",
            "~",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Kind::Null),
        (written, any::<bool>()).prop_map(|(text, plain)| {
            Kind::Text(Text { text, plain, sensitive: false })
        }),
    ];
    let tag = prop_oneof![8 => Just(Tag::None), 1 => Just(Tag::Reset), 1 => Just(Tag::Override)];
    leaf.prop_map(move |kind| Node::new(kind, span)).prop_recursive(
        6,
        64,
        6,
        move |inner| {
            let keys = prop::sample::select(keys());
            let kind = prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Kind::Sequence),
                prop::collection::btree_map(keys, inner, 0..6).prop_map(move |map| {
                    Kind::Mapping(
                        map.into_iter()
                            .map(|(key, node)| {
                                (key, crate::compose::node::Entry { key: span, node })
                            })
                            .collect(),
                    )
                }),
            ];
            (kind, tag.clone()).prop_map(move |(kind, tag)| Node { kind, span, tag })
        },
    )
}

/// Puts a tree where it meets the tables.
fn in_a_service(node: Node) -> Node {
    let span = node.span;
    let wrap = |key: &str, node: Node| {
        let mut mapping = crate::compose::node::Mapping::new();
        mapping::put(&mut mapping, key, node.kind, span);
        Node::new(Kind::Mapping(mapping), span)
    };
    wrap("services", wrap("a", node))
}

proptest! {
    #[test]
    fn any_tree_has_a_canonical_form_or_problems(node in any_node(), inside in any::<bool>()) {
        let mut node = if inside { in_a_service(node) } else { node };
        node.tag = Tag::None;
        let mut problems = Problems::default();
        let read = canonicalise(node, &mut problems);
        if !problems.has_errors() {
            let merged = crate::compose::merge::merge(
                Node::new(Kind::Mapping(crate::compose::node::Mapping::new()), read.span),
                read,
            );
            // The canonical form is its own canonical form, and merges with itself.
            let mut problems = Problems::default();
            let again = canonicalise(merged.clone(), &mut problems);
            prop_assert!(!problems.has_errors(), "{:?}", problems);
            prop_assert_eq!(again.value(), merged.value());
            let twice = crate::compose::merge::merge(merged.clone(), again);
            prop_assert_eq!(twice.value(), merged.value());
        }
    }
}
