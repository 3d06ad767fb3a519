//! What each key takes, and what is said of what it does not.

use super::*;
use crate::compose::canonical::canonicalise;
use crate::compose::problem::Sources;
use crate::compose::yaml;
use crate::state::check::{CheckKind, Checks, Credential};
use crate::state::desired::ProbeKind;
use crate::state::ids::CheckName;
use crate::state::notice::{Address, NoticeKind, Severity};
use crate::state::secret::Secret;

fn canonical(text: &str) -> Node {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let file = sources.add("f.yaml".into(), text.to_owned());
    let root = yaml::parse(file, text, &mut problems).unwrap().remove(0);
    canonicalise(root, &mut problems)
}

fn on_stack(text: &str) -> (StackExtension, Vec<String>) {
    let mut problems = Problems::default();
    let read = stack(&canonical(&format!("{KEY}: {text}")), &mut problems);
    (read, shown(&problems))
}

fn on_service(text: &str) -> (ServiceExtension, Vec<String>) {
    let mut problems = Problems::default();
    let root = canonical(&format!("services: {{a: {{{KEY}: {text}}}}}"));
    let read = service("a", root.at("services.a").unwrap(), &mut problems);
    (read, shown(&problems))
}

fn shown(problems: &Problems) -> Vec<String> {
    let shown = problems.iter().map(|problem| {
        let help = problem.help.clone().map(|help| format!(" ({help})"));
        format!("{}: {}{}", problem.path, problem.message, help.unwrap_or_default())
    });
    shown.collect()
}

#[test]
fn a_stack_says_how_it_is_to_be_treated() {
    let (read, problems) = on_stack(
        "{sensitive: [A_*, B], prune: never, resync: 2m, max_parallel: 4, \
         ready_deadline: 10m}",
    );
    assert_eq!(problems, Vec::<String>::new());
    let settings = StackSettings {
        sensitive: vec!["A_*".to_owned(), "B".to_owned()],
        prune: Prune::Never,
        resync: Some(Duration::from_mins(2)),
        max_parallel: Some(4),
        notify: Vec::new(),
        backup: None,
        checks: Checks::default(),
    };
    let ready_deadline = Some(Duration::from_mins(10));
    assert_eq!(read, StackExtension { settings, ready_deadline, heal: None });
    assert_eq!(on_stack("~"), (StackExtension::default(), vec![]));
}

#[test]
fn a_service_says_how_it_is_to_be_treated() {
    let (read, problems) = on_service(
        "{ready_deadline: 1m30s, address: stable, job: true, \
         drift: {ignore: [labels, deploy.resources]}, sensitive: [X]}",
    );
    assert_eq!(problems, Vec::<String>::new());
    let settings = ServiceSettings {
        ready_deadline: Some(Duration::from_secs(90)),
        stable_address: true,
        job: Some(true),
        ignored_drift: vec!["labels".to_owned(), "deploy.resources".to_owned()],
        ..ServiceSettings::default()
    };
    assert_eq!(read, ServiceExtension { settings, sensitive: vec!["X".to_owned()] });
}

#[test]
fn healing_is_turned_off_or_given_its_numbers() {
    let read = |text: &str| on_service(text).0.settings.heal.unwrap();
    assert!(!read("{heal: false}").is_on);
    assert_eq!(read("{heal: true}"), Heal::default());
    let heal = Heal { is_on: true, failures: 3, budget: 2 };
    assert_eq!(read("{heal: {budget: 2}}"), heal);
    assert_eq!(on_stack("{heal: {budget: 2}}").0.heal, Some(heal));
    let wrong = |text: &str| on_service(text).1.concat();
    assert!(wrong("{heal: never}").contains("`true`, `false` or `{failures"));
    assert!(wrong("{heal: {budgte: 1}}").contains("heal.budgte: `heal` has no key"));
    assert!(wrong("{heal: {budget: 0}}").contains("heal.budget: a number was found"));
}

#[test]
fn what_is_wrong_is_said_with_its_path_and_what_is_allowed() {
    let wrong = |text: &str| on_service(text).1.concat();
    let path = "services.a.x-reconciler";
    assert_eq!(
        wrong("{jb: true}"),
        format!(
            "{path}.jb: `x-reconciler` has no key `jb` here (perhaps `job` was meant)"
        )
    );
    assert!(wrong("{prune: never}").contains("(it belongs to the `x-reconciler` at"));
    assert!(wrong("{zzzzzz: 1}").contains("(known here are `ready_deadline`, "));
    assert_eq!(
        wrong("{job: maybe}"),
        format!("{path}.job: `maybe` was found; it must be `true` or `false`")
    );
    assert!(wrong("{ready_deadline: 30}").contains("a number was found; it must be"));
    assert!(wrong("{ready_deadline: '30'}").contains("`30` has no unit"));
    assert!(
        wrong("{drift: {ignore: [lables.x]}}").contains("perhaps `labels` was meant")
    );
    assert!(wrong("{drift: {ignor: []}}").contains("`drift` has no key `ignor`"));
    assert!(wrong("[x]").contains("it must be a mapping"));
    let long = format!("{{sensitive: [{}]}}", "x".repeat(65));
    assert!(wrong(&long).contains("at most 64 names"));
    assert!(on_stack("{max_parallel: 0}").1.concat().contains("1 or more"));
}

#[test]
fn a_stack_says_who_is_told_and_about_what() {
    let (read, problems) = on_stack(
        "{notify: [{url: 'https://chat.example.org/hooks/abc', severity: error}, \
         {url_file: secret/url, on: [rolled-back, drift]}]}",
    );
    assert_eq!(problems, Vec::<String>::new());
    let [chat, other] = read.settings.notify.as_slice() else { panic!("{read:?}") };
    assert_eq!(chat.to.to_string(), "chat.example.org");
    assert_eq!((chat.severity, chat.on.len()), (Severity::Error, 0));
    assert_eq!(other.to, Address::File("secret/url".into()));
    assert_eq!(other.severity, Severity::Info);
    assert!(other.on.iter().eq(&[NoticeKind::Drift, NoticeKind::RolledBack]));
    let (one, _) = on_stack("{notify: {url_file: /url}}");
    assert_eq!(one.settings.notify.len(), 1);
    assert_eq!(on_service("{notify: {url_file: /url}}").1.len(), 1);
}

#[test]
fn what_is_wrong_with_who_is_told_is_said_without_the_url() {
    let wrong = [
        "[{}, {}]",
        "{url: 'https://a/canary', url_file: b}",
        "{url: 'ftp://canary'}",
        "[{url: 'https://u:canary@h/'}]",
        "'https://a/canary'",
        "['https://a/canary']",
        "{url_fil: a}",
        "{url_file: a, severity: warning}",
        "{url_file: a, on: [failed, broken]}",
    ];
    let problems = wrong.map(|text| on_stack(&format!("{{notify: {text}}}")).1.concat());
    insta::assert_snapshot!("notify", problems.join("\n"));
}

#[test]
fn a_stack_says_when_it_is_backed_up_and_which_archives_stay() {
    let (read, problems) = on_stack(
        "{backup: {schedule: '0 2 * * *', keep: {last: 2, daily: 7}, paths: [/srv/db], \
         directory: /backups, after: [rclone, copy]}}",
    );
    assert_eq!(problems, Vec::<String>::new());
    let backup = read.settings.backup.unwrap();
    assert_eq!(backup.schedule.unwrap().to_string(), "0 2 * * *");
    let keep = backup.keep.unwrap();
    assert_eq!((keep.last, keep.daily, keep.weekly), (2, 7, 0));
    assert_eq!(backup.paths, ["/srv/db"]);
    assert_eq!(backup.after, ["rclone", "copy"]);
    let wrong = [
        "no",
        "{schedule: nightly}",
        "{keep: 3}",
        "{keep: {daly: 3}}",
        "{keep: {last: 0}}",
        "{paths: [data]}",
        "{directory: /a/../b}",
        "{dir: /a}",
    ];
    let problems = wrong.map(|text| on_stack(&format!("{{backup: {text}}}")).1.concat());
    insta::assert_snapshot!("backup", problems.join("\n"));
}

#[test]
fn a_service_says_what_must_not_change_under_its_data() {
    let (read, problems) = on_service("{immutable: [environment.MQ_TYPE, volumes]}");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(read.settings.immutable, ["environment.MQ_TYPE", "volumes"]);
    let problems = on_service("{immutable: [enviroment.MQ_TYPE]}").1.concat();
    assert!(problems.contains("perhaps `environment` was meant"), "{problems}");
}

#[test]
fn a_service_says_how_changed_content_is_taken_up() {
    let (read, problems) = on_service(
        "{reload: {signal: hup, test: [nginx, -t]}, content: [./a.conf, /etc/b]}",
    );
    assert_eq!(problems, Vec::<String>::new());
    let reload = read.settings.reload.unwrap();
    assert_eq!(reload.signal, "SIGHUP");
    let words: Vec<&str> = reload.test.iter().map(Secret::expose).collect();
    assert_eq!(words, ["nginx", "-t"]);
    assert_eq!(read.settings.content, ["./a.conf", "/etc/b"]);
    let (read, _) = on_service("{reload: {signal: SIGUSR1, test: check it}}");
    let reload = read.settings.reload.unwrap();
    assert_eq!(reload.test.len(), 3);
    let path = "services.a.x-reconciler.reload";
    for (text, problem) in [
        (
            "{reload: HUP}",
            format!("{path}: `HUP` was found; it must be a mapping such as"),
        ),
        (
            "{reload: {test: x}}",
            format!("{path}: it does not say which `signal` takes changed content up"),
        ),
        (
            "{reload: {signal: KILL}}",
            format!("{path}.signal: `KILL` was found; it must be a signal: SIGHUP, SIG"),
        ),
        (
            "{reload: {signal: HUP, tset: x}}",
            format!(
                "{path}.tset: `reload` has no key `tset`; it has `signal` and `test`; \
                 perhaps `test` was meant"
            ),
        ),
        (
            "{reload: {signal: HUP, test: []}}",
            format!(
                "{path}.test: a list was found; it must be a command: a list of words"
            ),
        ),
    ] {
        let problems = on_service(text).1.concat();
        assert!(problems.starts_with(&problem), "{problems}");
    }
}

#[test]
fn a_service_says_how_it_is_asked_from_outside() {
    let probe = |text: &str| {
        let (read, problems) = on_service(&format!("{{probe: {text}}}"));
        assert_eq!(problems, Vec::<String>::new(), "{text}");
        read.settings.probe.unwrap()
    };
    let http = |text: &str| match probe(&format!("{{http: '{text}'}}")).how {
        ProbeKind::Http { host, port, path } => {
            format!("{} {port} {path}", host.unwrap_or_default())
        }
        other @ (ProbeKind::Tcp { .. }
        | ProbeKind::Grpc { .. }
        | ProbeKind::Exec { .. }) => {
            panic!("{other:?}")
        }
    };
    assert_eq!(http(":8080/healthz"), " 8080 /healthz");
    assert_eq!(http("http://:9091/a?b=c"), " 9091 /a?b=c");
    assert_eq!(http("http://minio:9000"), "minio 9000 /");
    assert_eq!(http("http://web/x:y"), "web 80 /x:y");
    assert_eq!(probe("{tcp: 2379}").how, ProbeKind::Tcp { port: 2379 });
    let service = "db".to_owned();
    assert_eq!(probe("{grpc: 50051/db}").how, ProbeKind::Grpc { port: 50051, service });
    let it =
        probe("{exec: [ready], interval: 2s, timeout: 500ms, successes: 2, failures: 5}");
    assert_eq!((it.interval.as_secs(), it.timeout.as_millis()), (2, 500));
    assert_eq!((it.successes, it.failures), (2, 5));
    let it = probe("{tcp: 1}");
    assert_eq!((it.interval.as_secs(), it.timeout.as_secs()), (1, 5));
    assert_eq!((it.successes, it.failures), (1, 3));
}

#[test]
fn a_probe_that_makes_no_sense_is_said_with_what_is_allowed() {
    let path = "services.a.x-reconciler.probe";
    for (text, problem) in [
        ("{}", format!("{path}: it does not say what is asked")),
        (
            "{tcp: 1, http: ':1/'}",
            format!("{path}: it says more than once what is asked"),
        ),
        ("{tcp: 0}", format!("{path}.tcp: a number was found; it must be a port from 1")),
        ("{tcp: 65536}", format!("{path}.tcp: a number was found; it must be a port")),
        (
            "{http: /healthz}",
            format!("{path}.http: `/healthz` was found; it must be a URL"),
        ),
        ("{http: 'https://a/'}", format!("{path}.http: `https` is not spoken by probes")),
        ("{grpc: db}", format!("{path}.grpc: `db` was found; it must be a port, or")),
        (
            "{tcp: 1, intervall: 1s}",
            format!(
                "{path}.intervall: `probe` has no key `intervall`; perhaps `interval`"
            ),
        ),
        (
            "{tcp: 1, failures: 0}",
            format!("{path}.failures: a number was found; it must be"),
        ),
        ("[tcp]", format!("{path}: a list was found; it must be a mapping such as")),
    ] {
        let problems = on_service(&format!("{{probe: {text}}}")).1.concat();
        assert!(problems.starts_with(&problem), "{problems}");
    }
}

#[test]
fn a_stack_says_what_is_checked() {
    let (read, problems) = on_stack(
        "{checks: {interval: 30s, disk: false, \
         page: {http: 'http://web:8080/healthz?x=1', status: [200, 204], body: OK, \
         timeout: 2s, failures: 1, severity: warn}, \
         health: {grpc: 'web:50051', service: db, user: root, password: 12345}, \
         alarms: {etcd_alarms: '[::1]:2379'}, \
         s3: {s3: 'http://minio', access_key: a, secret_key_file: key}, \
         memory: {memory: [web, db], below: 75%}, run: {exec: 'true', in: web}}}",
    );
    assert_eq!(problems, Vec::<String>::new());
    let checks = read.settings.checks;
    assert_eq!(checks.interval, Duration::from_secs(30));
    let names: Vec<&str> = checks.named.keys().map(CheckName::as_str).collect();
    assert_eq!(
        names,
        ["alarms", "containers", "health", "image-age", "memory", "page", "run", "s3"]
    );
    let page = &checks.named["page"];
    assert_eq!((page.failures, page.timeout), (1, Duration::from_secs(2)));
    let CheckKind::Http { at, path, status, .. } = &page.kind else { panic!("{page:?}") };
    assert_eq!((at.host.as_str(), at.port, path.as_str()), ("web", 8080, "/healthz?x=1"));
    assert!(status.iter().eq(&[200, 204]));
    let CheckKind::S3(s3) = &checks.named["s3"].kind else { panic!("no s3") };
    assert_eq!((s3.at.port, s3.region.as_str()), (80, "us-east-1"));
    assert_eq!(s3.secret_key, Credential::File("key".into()));
    assert!(!format!("{checks:?}").contains("12345"));
}

#[test]
fn what_is_wrong_with_a_check_is_said_without_its_secrets() {
    let wrong = [
        "web",
        "{interval: 0}",
        "{front: false}",
        "{'a b': {tcp: 'a:1'}}",
        "{front: 'a:1'}",
        "{front: {}}",
        "{front: {htp: 'http://a:1'}}",
        "{front: {tcp: 'a:1', grpc: 'a:1'}}",
        "{front: {tcp: a}}",
        "{front: {tcp: 'a:99999'}}",
        "{front: {tcp: 'a:1', body: x}}",
        "{front: {tcp: 'a:1', timout: 1s}}",
        "{front: {tcp: 'a:1', severity: error}}",
        "{front: {tcp: 'a:1', failures: 0}}",
        "{front: {http: 'https://a:1'}}",
        "{front: {http: 'http://a:1', status: 20}}",
        "{health: {grpc: 'a:1', user: root}}",
        "{health: {grpc: 'a:1', password: canary}}",
        "{health: {grpc: 'a:1', user: root, password: [canary]}}",
        "{health: {grpc: 'a:1', user: root, password: canary, password_file: f}}",
        "{s3: {s3: 'http://a:1', secret_key: canary}}",
        "{s3: {s3: 'http://a:1/b', access_key: a, secret_key: canary}}",
        "{disk: {disk: [data]}}",
        "{disk: {disk: all, below: 80}}",
        "{memory: {memory: all, below: 101%}}",
        "{old: {image_age: long}}",
        "{run: {exec: [a]}}",
    ];
    let problems = wrong.map(|text| on_stack(&format!("{{checks: {text}}}")).1.concat());
    insta::assert_snapshot!("checks", problems.join("\n"));
}
