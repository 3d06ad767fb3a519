use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::load::{Loaded, Request, load};
use super::super::problem::Severity;
use super::*;

mod model;

pub(super) fn loaded(text: &str) -> Loaded {
    let path = PathBuf::from("/srv/app/compose.yaml");
    let files = BTreeMap::from([(path.clone(), text.as_bytes().to_vec())]);
    let request = Request {
        files: vec![path],
        env_files: vec![],
        project: None,
        profiles: BTreeSet::new(),
        environment: BTreeMap::new(),
        digest_key: DigestKey::new([7; 32]),
        checkout: None,
    };
    load(&request, &files)
}

/// Returns the problems of a severity as `line:column path: message`.
pub(super) fn found(loaded: &Loaded, severity: Severity) -> Vec<String> {
    loaded
        .problems
        .iter()
        .filter(|problem| problem.severity == severity)
        .map(|problem| {
            let (_, line, column) =
                loaded.sources.position(problem.span.expect("a place")).expect("a file");
            format!("{line}:{column} {}: {}", problem.path, problem.message)
        })
        .collect()
}

#[track_caller]
fn errors(text: &str, expected: &[&str]) {
    let loaded = loaded(text);
    assert_eq!(found(&loaded, Severity::Error), expected);
    assert!(loaded.desired.is_none() && loaded.canonical.is_none());
}

#[track_caller]
fn warnings(text: &str, expected: &[&str]) {
    let loaded = loaded(text);
    assert_eq!(found(&loaded, Severity::Error), Vec::<String>::new());
    assert_eq!(found(&loaded, Severity::Warning), expected);
}

#[track_caller]
fn valid(text: &str) -> Desired {
    let loaded = loaded(text);
    assert_eq!(found(&loaded, Severity::Error), Vec::<String>::new());
    loaded.desired.expect("no error, so a stack")
}

#[test]
fn what_is_named_must_be_there() {
    errors(
        "services:
  web:
    image: x
    networks: [frnt]
    volumes: ['data:/d', /anonymous]
    configs: [c]
    secrets: [{source: s, target: t}]
    depends_on: [dbx]
    links: ['cache:c']
    pid: service:gone
    volumes_from: [away]
  db: {image: x}
networks: {front: }
",
        &[
            "4:16 services.web.networks: the network `frnt` is not declared under the \
             top-level `networks`",
            "5:15 services.web.volumes: the volume `data` is not declared under the \
             top-level `volumes`",
            "6:15 services.web.configs: the config `c` is not declared under the \
             top-level `configs`",
            "7:24 services.web.secrets: the secret `s` is not declared under the \
             top-level `secrets`",
            "8:18 services.web.depends_on: the service `dbx` is not there",
            "9:13 services.web.links: the service `cache` is not there",
            "10:10 services.web.pid: the service `gone` is not there",
            "11:20 services.web.volumes_from: the service `away` is not there",
        ],
    );
    let loaded =
        loaded("services: {a: {image: x, networks: [frnt]}}\nnetworks: {front: }\n");
    let help = loaded.problems.iter().find_map(|problem| problem.help.clone());
    assert_eq!(help.as_deref(), Some("perhaps `front` was meant"));
}

#[test]
fn a_circle_is_shown_whole() {
    errors(
        "services:
  a: {image: x, depends_on: [b]}
  b: {image: x, network_mode: 'service:c'}
  c: {image: x, depends_on: [a, d]}
  d: {image: x}
  e: {image: x, depends_on: [e]}
  f: {image: x, depends_on: [a]}
",
        &[
            "2:30 services.a.depends_on: services wait for each other in a circle: \
             a → b → c → a",
            "6:30 services.e.depends_on: services wait for each other in a circle: e → e",
        ],
    );
}

#[test]
fn a_network_mode_leaves_no_room_for_networks_and_ports() {
    errors(
        "services:
  a: {image: x, network_mode: host, networks: [n]}
  b: {image: x, network_mode: 'service:c', ports: ['1:1']}
  c: {image: x}
networks: {n: }
",
        &[
            "2:31 services.a.network_mode: `network_mode` and `networks` exclude each other",
            "3:52 services.b.ports: with `network_mode: service:c` no port can be published",
        ],
    );
    warnings(
        "services: {a: {image: x, network_mode: host, ports: ['80:80']}}\n",
        &[
            "1:54 services.a.ports: with `network_mode: host` ports are not published: the \
           service listens on the host itself",
        ],
    );
}

#[test]
fn a_host_port_is_given_once() {
    errors(
        "services:
  a: {image: x, ports: ['80:80', '127.0.0.1:81:80', '53:53/udp', '9000-9002:1-3']}
  b: {image: x, ports: ['127.0.0.1:80:8080']}
  c: {image: x, ports: ['127.0.0.2:81:80', '53:53/tcp', '0.0.0.0:81:80']}
  d: {image: x, ports: ['9001:1', '80', '8000-8010:80']}
  e: {image: x, ports: ['8000-8010:80'], scale: 2}
  f: {image: x, ports: ['7000:80'], deploy: {replicas: 2}}
",
        &[
            "3:25 services.b.ports: the host port 80 is taken by `a`",
            "4:57 services.c.ports: the host port 81 is taken by `a`",
            "5:25 services.d.ports: the host port 9001 is taken by `a`",
            "7:25 services.f.ports: several containers of `f` cannot all have the host \
             port 7000",
        ],
    );
}

#[test]
fn a_container_name_is_given_once() {
    errors(
        "services:
  a: {image: x, container_name: one}
  b: {image: x, container_name: one}
  c: {image: x, container_name: app-d-2}
  d: {image: x, scale: 2}
  e: {image: x, container_name: two, scale: 2}
  f: {image: x, container_name: -f}
  g: {image: x, container_name: app-g-1}
",
        &[
            "3:33 services.b.container_name: the name `one` is taken by `a`",
            "4:33 services.c.container_name: `app-d-2` is the name of a container of `d`",
            "6:33 services.e.container_name: several containers cannot have one name",
            "7:33 services.f.container_name: `-f` cannot name a container",
        ],
    );
}

#[test]
fn a_static_address_is_given_once_and_lies_in_its_subnet() {
    errors(
        "services:
  a: {image: x, networks: {n: {ipv4_address: 10.1.0.5}}}
  b: {image: x, networks: {n: {ipv4_address: 10.1.0.5}}}
  c: {image: x, networks: {n: {ipv4_address: 10.2.0.5}}}
  d: {image: x, networks: {n: {ipv4_address: 10.1.0.300}}}
  e: {image: x, networks: {n: {ipv6_address: fd00:2::1}}}
  f: {image: x, networks: {m: {ipv4_address: 10.1.0.5}}}
  g: {image: x, networks: {n: {ipv4_address: 10.1.0.1}}}
  h: {image: x, networks: {n: {ipv4_address: 10.1.0.9}}, scale: 2}
  i: {image: x, networks: {o: {ipv4_address: 10.9.0.9}}}
networks:
  n: {ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.1}, {subnet: 'fd00:1::/64'}]}}
  m:
  o: {external: true}
",
        &[
            "3:46 services.b.networks.n.ipv4_address: the address 10.1.0.5 is taken by `a`",
            "4:46 services.c.networks.n.ipv4_address: 10.2.0.5 does not lie in 10.1.0.0/16",
            "5:46 services.d.networks.n.ipv4_address: `10.1.0.300` is no IPv4 address",
            "6:46 services.e.networks.n.ipv6_address: fd00:2::1 does not lie in fd00:1::/64",
            "7:46 services.f.networks.m.ipv4_address: a static address needs a network that \
             declares its subnet",
            "8:46 services.g.networks.n.ipv4_address: 10.1.0.1 is the address of the gateway",
            "9:46 services.h.networks.n.ipv4_address: several containers cannot have one \
             address",
        ],
    );
}

#[test]
fn two_keys_for_one_thing_must_agree() {
    errors(
        "services:
  a:
    image: x
    scale: 2
    mem_limit: 1g
    cpus: 1.5
    pids_limit: 5
    mem_reservation: 64m
    deploy:
      replicas: 3
      resources:
        limits: {memory: 2g, cpus: '1', pids: 6}
        reservations: {memory: 65m}
  b: {image: x, cpus: 2, deploy: {resources: {limits: {cpus: '2.0'}}}}
",
        &[
            "4:12 services.a.scale: `scale` says 2, but `deploy.replicas` says 3",
            "5:16 services.a.mem_limit: `mem_limit` says 1073741824, but \
             `deploy.resources.limits.memory` says 2147483648",
            "6:11 services.a.cpus: `cpus` says 1.5, but `deploy.resources.limits.cpus` \
             says 1",
            "7:17 services.a.pids_limit: `pids_limit` says 5, but \
             `deploy.resources.limits.pids` says 6",
            "8:22 services.a.mem_reservation: `mem_reservation` says 67108864, but \
             `deploy.resources.reservations.memory` says 68157440",
        ],
    );
}

#[test]
fn what_the_engine_would_refuse_is_refused_here() {
    errors(
        "services:
  a: {image: x, mem_limit: 5m}
  b: {image: x, cpus: 0.001}
  c: {image: x, mem_limit: 64m, mem_reservation: 65m}
  d: {image: x, mem_limit: 64m, memswap_limit: 32m}
  e: {image: x, memswap_limit: 32m}
  f: {image: x, healthcheck: {test: x, interval: 1us, retries: -1}}
  g: {image: x, scale: 100000}
  h: {image: x, cpus: -1}
  i: {image: x, memswap_limit: -1, mem_limit: 0}
",
        &[
            "2:28 services.a.mem_limit: a limit of 5242880 bytes is below the engine's \
             minimum of 6 MiB",
            "3:23 services.b.cpus: 0.001 processors are below the engine's minimum of 0.01",
            "4:50 services.c.mem_reservation: more memory is reserved than the limit allows",
            "5:48 services.d.memswap_limit: `memswap_limit` counts memory and swap together: \
             it cannot be below the memory limit",
            "6:32 services.e.memswap_limit: `memswap_limit` needs a memory limit beside it",
            "7:50 services.f.healthcheck.interval: the engine takes no time below 1 ms here",
            "7:64 services.f.healthcheck.retries: the number of retries is 0 (as the image \
             says) or more",
            "8:24 services.g.scale: a service has from 0 to 1000 containers",
            "9:23 services.h.cpus: -1 processors are below the engine's minimum of 0.01",
        ],
    );
}

#[test]
fn a_service_says_which_image_and_in_known_words_what_else() {
    errors(
        "services:
  a: {}
  b: {build: .}
  c: {image: 'Upper/x'}
  d: {image: 'a b'}
  e: {image: ''}
  f: {image: 'HOST.example:5000/x/y:Tag@sha256:abc'}
  g: {image: x, pull_policy: alway}
  h: {image: x, restart: allways}
  i: {image: x, restart: 'always:3'}
  j: {image: x, deploy: {restart_policy: {condition: always}}}
  k: {image: x, deploy: {restart_policy: {condition: any, max_attempts: 3}}}
  l: {image: x, pull_policy: build}
  'm n': {image: x}
",
        &[
            "2:3 services.a.image: the service has no image",
            "3:14 services.b.build: images are not built here",
            "4:14 services.c.image: `Upper/x` is no image reference: names of images are in \
             small letters",
            "5:14 services.d.image: `a b` is no image reference: it contains a space",
            "6:14 services.e.image: `` is no image reference: a part of its name is empty",
            "8:30 services.g.pull_policy: `alway` is not possible; allowed are `always`, \
             `never`, `missing`, `if_not_present`, `build`",
            "9:26 services.h.restart: `allways` is no restart policy",
            "10:26 services.i.restart: `always:3` is no restart policy",
            "11:54 services.j.deploy.restart_policy.condition: `always` is no condition",
            "12:73 services.k.deploy.restart_policy.max_attempts: the engine counts attempts \
             only with `condition: on-failure`",
            "13:30 services.l.pull_policy: images are not built here",
            "14:3 services.m n: `m n` is no valid key",
        ],
    );
}

#[test]
fn a_short_dependency_on_something_with_a_health_check_is_advised_to_wait() {
    warnings(
        "services:
  a: {image: x, depends_on: [b, c]}
  b: {image: x, healthcheck: {test: x}}
  c: {image: x}
  d: {image: x, depends_on: {b: {condition: service_started}}, links: [b]}
",
        &[
            "2:30 services.a.depends_on.b: this waits only until `b` is started, not until it \
           is healthy",
        ],
    );
}

#[test]
fn conditions_that_cannot_come_true_are_told() {
    errors(
        "services:
  a: {image: x, depends_on: {b: {condition: service_healthy}}}
  b: {image: x, healthcheck: {disable: true}}
",
        &[
            "2:30 services.a.depends_on.b: it is never healthy: its health check is disabled",
        ],
    );
    warnings(
        "services:
  a: {image: x, depends_on: {b: {condition: service_completed_successfully}}}
  b: {image: x, restart: always}
",
        &[
            "2:30 services.a.depends_on.b: `b` may never complete: with `restart: always` it \
           starts again",
        ],
    );
}

#[test]
fn what_is_declared_and_not_used_is_told() {
    warnings(
        "services: {a: {image: x, volumes: ['used:/x']}, b: {image: x, profiles: [p], \
         volumes: ['aside:/x']}}
volumes: {used: , aside: , idle: }
networks: {idle: , default: }
",
        &[
            "2:28 volumes.idle: no service uses the volume `idle`; it is not made",
            "3:12 networks.idle: no service uses the network `idle`; it is not made",
        ],
    );
}
