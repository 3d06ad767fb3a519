//! What checks find, and what they say about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::history::{CheckState, CheckStates, condition, taken_up};
use super::question::What;
use super::*;
use crate::planning::testing::{Drive, Named, desired};
use crate::state::ask::{Ask, DiskUse, Found, Trouble, TroubleKind};
use crate::state::check::{Checks, Severity};
use crate::state::observed::{Health, Status};

const FILE: &str = "
services:
  web:
    image: web:1
    healthcheck: {test: [CMD, check]}
    deploy: {resources: {limits: {memory: 100m}}}
    volumes: ['/data/web:/data', '/data/etc:/etc/web:ro']
  db: {image: db:1, scale: 2}
x-reconciler:
  checks:
    page: {http: 'http://web:8080/healthz', status: 200, body: OK}
    front: {tcp: '127.0.0.1:8080'}
    health: {grpc: 'web:50051', user: root, password: hunter22}
    alarms: {etcd_alarms: 'db:2379'}
    s3: {s3: 'http://web:9000', bucket: b, access_key: a, secret_key: hunter33}
    quick: {exec: [check, hunter22], in: db}
    disk: {disk: [/data, /other], below: 80%}
    image-age: {image_age: 90d, severity: warn}
";

fn round(drive: &mut Drive) -> Round {
    for container in drive.machine.containers.values_mut() {
        container.address = Some("172.18.0.2".to_owned());
    }
    let observed = drive.learn();
    Round::new(&drive.world(&observed), &BTreeSet::new())
}

fn time() -> (EngineTime, Duration) {
    ("2026-11-28T10:00:00Z".parse().unwrap(), Duration::from_millis(12))
}

/// Makes every check of a round with these answers; a question that gets none is well.
fn made(
    round: &Round,
    answer: impl Fn(&str, &Ask) -> Option<Answer>,
) -> BTreeMap<String, CheckResult> {
    let one = |it: &Prepared| {
        let answers = it.questions.iter().map(|question| match &question.what {
            What::Ask(ask) => Some(
                answer(it.name.as_str(), ask)
                    .unwrap_or_else(|| Ok(Found::Well("it answers".to_owned()))),
            ),
            What::Known { .. } => None,
        });
        let result = round.judged(it, answers.collect(), time());
        (it.name.to_string(), result)
    };
    round.checks.iter().map(one).collect()
}

fn text(results: &BTreeMap<String, CheckResult>) -> String {
    let line = |it: &CheckResult| {
        let next = it.next.as_ref().map(|next| format!("\n    next: {next}"));
        let verdict = it.verdict.as_str();
        format!("{}: {verdict}: {}{}\n", it.name, it.found, next.unwrap_or_default())
    };
    results.values().map(line).collect()
}

const GIB: u64 = 1 << 30;

const fn disk(device: u64, used: u64) -> Found {
    let free = 100 * GIB - used;
    Found::Disk(DiskUse { device, used, free, files: 10, free_files: 90 })
}

fn well(_: &str, ask: &Ask) -> Option<Answer> {
    match ask {
        Ask::Disk { .. } => Some(Ok(disk(1, 43 * GIB))),
        Ask::Memory { .. } => Some(Ok(Found::Memory(50 << 20))),
        Ask::Http { .. }
        | Ask::Tcp { .. }
        | Ask::Grpc { .. }
        | Ask::EtcdAlarms { .. }
        | Ask::S3 { .. }
        | Ask::Exec { .. } => None,
    }
}

#[test]
fn a_stack_that_is_well_passes_every_check() {
    let mut drive = Drive::settled(FILE);
    let round = round(&mut drive);
    insta::assert_snapshot!("well", text(&made(&round, well)));
}

#[test]
fn a_place_that_a_service_names_is_each_of_its_containers() {
    let mut drive = Drive::settled(FILE);
    let round = round(&mut drive);
    let of = |name: &str| {
        let check = round.checks.iter().find(|it| it.name.as_str() == name).unwrap();
        check.questions.iter().map(|it| it.object.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("alarms"), ["service/db/1", "service/db/2"]);
    assert_eq!(of("front"), ["127.0.0.1:8080"]);
    assert_eq!(of("disk"), ["/data", "/other"]);
    assert_eq!(of("memory"), ["service/web/1"]);
}

#[test]
fn what_is_wrong_is_named_with_what_was_found_and_what_to_do() {
    let mut drive = Drive::settled(FILE);
    let round = round(&mut drive);
    let trouble = |kind, said: &str| Some(Err(Trouble::new(kind, said)));
    let results = made(&round, |name, ask| match ask {
        Ask::Http { .. } => {
            trouble(TroubleKind::Unwell, "GET /healthz on port 8080 answered 500")
        }
        Ask::Tcp { .. } => {
            trouble(TroubleKind::Unreachable, "127.0.0.1:8080: Connection refused")
        }
        Ask::Grpc { .. } => trouble(
            TroubleKind::Denied,
            "gRPC refused with status 16: hunter22 is no password",
        ),
        Ask::EtcdAlarms { .. } => {
            trouble(TroubleKind::Unwell, "alarms are raised: NOSPACE on member 1")
        }
        Ask::S3 { .. } => trouble(
            TroubleKind::Denied,
            "a signed request was answered 403 SignatureDoesNotMatch",
        ),
        Ask::Exec { .. } => {
            trouble(TroubleKind::Silent, "the health command did not end in 5 s")
        }
        Ask::Disk { path } if path == "/data" => Some(Ok(disk(1, 81 * GIB))),
        Ask::Disk { .. } => {
            trouble(TroubleKind::Unwell, "No such file or directory (os error 2)")
        }
        Ask::Memory { .. } => {
            assert_eq!(name, "memory");
            Some(Ok(Found::Memory(95 << 20)))
        }
    });
    insta::assert_snapshot!("wrong", text(&results));
    let said = format!("{results:?} {round:?}");
    assert!(!said.contains("hunter"), "{said}");
}

#[test]
fn containers_that_are_not_as_they_should_be_are_told_from_one_another() {
    let mut said = String::new();
    let mut tell = |what: &str, change: &dyn Fn(&mut Drive)| {
        let mut drive = Drive::settled(FILE);
        change(&mut drive);
        let results = made(&round(&mut drive), well);
        let containers = BTreeMap::from([(String::new(), results["containers"].clone())]);
        said += &format!("{what}: {}", text(&containers));
        results
    };
    let results = tell("stopped", &|drive| {
        let web = drive.machine.named_mut("demo-web-1");
        web.state.status = Status::Exited;
        web.state.exit_code = 137;
        web.state.out_of_memory = true;
    });
    assert_eq!(results["page"].verdict, Verdict::Fail);
    assert_eq!(results["page"].found, "service/web: no container of it runs");
    tell("unhealthy", &|drive| {
        let web = drive.machine.named_mut("demo-web-1");
        web.state.health = Some(Health::Unhealthy);
    });
    tell("frozen", &|drive| {
        drive.machine.named_mut("demo-web-1").state.status = Status::Paused;
    });
    tell("restarting", &|drive| {
        drive.machine.named_mut("demo-web-1").state.status = Status::Restarting;
    });
    tell("missing", &|drive| {
        let id = drive.machine.named("demo-db-2").id.clone();
        drive.machine.containers.remove(&id);
    });
    insta::assert_snapshot!("containers", said);
}

#[test]
fn several_folders_of_one_file_system_are_told_once() {
    let mut drive = Drive::settled(FILE);
    let round = round(&mut drive);
    let with = |answer: &dyn Fn(&str) -> Found| {
        made(&round, |_, ask| {
            let Ask::Disk { path } = ask else { return well("", ask) };
            Some(Ok(answer(path)))
        })
    };
    let results = with(&|_| disk(1, 10 * GIB));
    assert_eq!(results["disk"].found, "/data, /other: 10 % of 100 GiB is used");
    let results = with(&|path| disk(u64::from(path == "/data"), 80 * GIB));
    assert_eq!(results["disk"].findings.len(), 2);
    assert_eq!(results["disk"].verdict, Verdict::Fail);
    let few_files = DiskUse { device: 1, used: 1, free: GIB, files: 95, free_files: 5 };
    let results = with(&|_| Found::Disk(few_files));
    assert!(results["disk"].found.contains("95 % of its files"), "{results:?}");
}

#[test]
fn an_engine_of_another_host_tells_nothing_of_its_disks() {
    let mut drive = Drive::settled("services: {a: {image: a, volumes: ['/data:/data']}}");
    let mut observed = drive.learn();
    observed.host_paths.clear();
    let round = Round::new(&drive.world(&observed), &BTreeSet::new());
    let results = made(&round, well);
    assert_eq!(results["disk"].verdict, Verdict::Unknown);
    assert!(results["disk"].found.contains("not reached by a socket"), "{results:?}");
}

fn result(name: &str, verdict: Verdict) -> CheckResult {
    CheckResult {
        name: name.into(),
        kind: "tcp".to_owned(),
        verdict,
        found: format!("{name} is {}", verdict.as_str()),
        next: None,
        findings: Vec::new(),
        time: time().0,
        took: time().1,
    }
}

#[test]
fn a_check_is_believed_to_fail_after_several_failures_and_to_pass_at_once() {
    let desired = desired(FILE);
    let checks = &desired.settings.checks;
    let mut states = CheckStates::new();
    let mut said = Vec::new();
    for verdict in [
        Verdict::Fail,
        Verdict::Fail,
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::Fail,
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::Pass,
    ] {
        states = taken_up(&states, checks, vec![result("front", verdict)]);
        let CheckState { believed, row, .. } = &states["front"];
        let condition = condition(&states).unwrap();
        said.push(format!(
            "{} -> {} {row} {}={} {}: {}",
            verdict.as_str(),
            believed.as_str(),
            condition.kind,
            condition.status_word(),
            condition.reason,
            condition.message
        ));
    }
    insta::assert_snapshot!("believed", said.join("\n"));
    assert_eq!(condition(&CheckStates::new()), None);
    let none = Checks { named: BTreeMap::new(), ..Checks::default() };
    assert!(taken_up(&states, &none, Vec::new()).is_empty(), "it left the file");
}

#[test]
fn a_warning_leaves_a_stack_healthy_and_is_named() {
    let mut checks = desired(FILE).settings.checks.clone();
    for check in checks.named.values_mut() {
        check.failures = 1;
    }
    assert_eq!(checks.named["image-age"].severity, Severity::Warn);
    let results = vec![result("image-age", Verdict::Warn), result("s3", Verdict::Pass)];
    let states = taken_up(&CheckStates::new(), &checks, results);
    let condition = condition(&states).unwrap();
    assert_eq!((condition.status, condition.reason.as_str()), (Some(true), "ChecksWarn"));
    assert_eq!(condition.message, "image-age (image-age is warn)");
}
