//! What is told of what happens to a stack on a simulated engine.

use super::*;
use crate::planning::condition;
use crate::planning::doubt::{Doubt, DoubtReason};
use crate::planning::plan::plan_world;
use crate::planning::testing::{Drive, Named, Software, desired};
use crate::state::value::Value;

fn web(level: &str) -> String {
    format!(
        "services: {{web: {{image: 'web:1', environment: {{LEVEL: '{level}'}}, \
         restart: always, healthcheck: {{test: [CMD, ready]}}}}}}"
    )
}

fn drive(level: &str) -> Drive {
    let mut drive = Drive::new(desired(&web(level)));
    drive.machine.levels.insert("bad".to_owned(), Software::sick());
    drive
}

/// Makes one pass and returns what is told of it.
fn look(drive: &mut Drive, told: &mut Told, doubt: Option<&Doubt>) -> Vec<String> {
    let observed = drive.learn();
    let world = drive.world(&observed);
    let plan = plan_world(&world);
    let status = condition::status(&world, &plan, doubt);
    let now = drive.machine.now();
    condition::remember(&mut drive.memory, &status, now);
    let line = |it: Notice| format!("{} {}: {}", it.kind.as_str(), it.object, it.message);
    told.news(&plan, &status).into_iter().map(line).collect()
}

/// Goes on until nothing is left to do; returns what is told meanwhile.
fn settle(drive: &mut Drive, told: &mut Told) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..3000 {
        all.extend(look(drive, told, None));
        let plan = drive.pass();
        if plan.steps.is_empty() && !drive.wait(&plan) {
            return all;
        }
    }
    panic!("it goes on for ever: {all:#?}");
}

const CONVERGED: &str =
    "converged stack: the desired state is in place, and every service is ready";
const RECOVERED: &str = "recovered stack: everything is as it is wanted again, and ready";

#[test]
fn each_desired_state_that_is_brought_about_is_told_once() {
    let (mut drive, mut told) = (drive("good"), Told::default());
    assert_eq!(settle(&mut drive, &mut told), [CONVERGED]);
    assert_eq!(settle(&mut drive, &mut told), Vec::<String>::new());
    drive.want(&web("better"));
    assert_eq!(settle(&mut drive, &mut told), [CONVERGED]);
    // Another process finds everything in place.
    let mut told = Told::of(&drive.memory);
    assert_eq!(settle(&mut drive, &mut told), Vec::<String>::new());
}

#[test]
fn a_change_that_is_taken_back_is_told_and_so_is_the_next_good_one() {
    let (mut drive, mut told) = (drive("good"), Told::default());
    settle(&mut drive, &mut told);
    drive.want(&web("bad"));
    let news = settle(&mut drive, &mut told);
    let [failed, rolled_back] = news.as_slice() else { panic!("{news:#?}") };
    assert!(failed.starts_with("failed service/web: Unhealthy: "), "{failed}");
    let begins = "rolled-back service/web: RolledBack: the change was taken back: ";
    assert!(rolled_back.starts_with(begins), "{rolled_back}");
    // Another process knows of it.
    let mut told_by_another = Told::of(&drive.memory);
    assert_eq!(settle(&mut drive, &mut told_by_another), Vec::<String>::new());
    drive.want(&web("best"));
    assert_eq!(settle(&mut drive, &mut told), [CONVERGED]);
}

#[test]
fn what_falls_ill_and_gets_well_is_told_at_both_edges() {
    let (mut drive, mut told) = (drive("good"), Told::default());
    settle(&mut drive, &mut told);
    drive.machine.named_mut("demo-web-1").state.health =
        Some(crate::state::observed::Health::Unhealthy);
    let news = settle(&mut drive, &mut told);
    assert!(news[0].starts_with("degraded service/web: Unhealthy: "), "{news:#?}");
    assert_eq!(news.last().unwrap(), RECOVERED);
}

#[test]
fn what_others_change_is_told_with_the_fields() {
    let (mut drive, mut told) = (drive("good"), Told::default());
    settle(&mut drive, &mut told);
    let document = &mut drive.machine.named_mut("demo-web-1").document;
    document.set("HostConfig.RestartPolicy.Name", Value::text("no"));
    let news = settle(&mut drive, &mut told);
    let drift =
        "drift stack: not as it is wanted: service/web/1 to update-in-place (restart)";
    assert_eq!(news, [drift, RECOVERED]);
    // What nobody may put right is told at once, and once.
    drive.allowed.only_looks = true;
    let document = &mut drive.machine.named_mut("demo-web-1").document;
    document.set("HostConfig.RestartPolicy.Name", Value::text("no"));
    let mut told = Told::of(&drive.memory);
    assert_eq!(look(&mut drive, &mut told, None), [drift]);
    assert_eq!(look(&mut drive, &mut told, None), Vec::<String>::new());
}

#[test]
fn a_desired_state_that_is_refused_is_told_for_each_reason_and_when_it_is_over() {
    let (mut drive, mut told) = (drive("good"), Told::default());
    settle(&mut drive, &mut told);
    let untrusted = Doubt::new(DoubtReason::Untrusted, "commit 1 is not signed");
    let away = Doubt::new(DoubtReason::Unavailable, "no route to host");
    let mut look = |doubt: Option<&Doubt>| look(&mut drive, &mut told, doubt).join("; ");
    assert_eq!(look(Some(&Doubt::invalid("f:1: no"))), "refused stack: Invalid: f:1: no");
    assert_eq!(look(Some(&Doubt::invalid("f:1: no"))), "");
    assert_eq!(look(Some(&Doubt::invalid("f:2: no"))), "refused stack: Invalid: f:2: no");
    assert_eq!(
        look(Some(&untrusted)),
        "refused stack: CommitUntrusted: commit 1 is not signed"
    );
    assert_eq!(
        look(Some(&away)),
        "unavailable stack: SourceUnavailable: no route to host"
    );
    let over = "recovered stack: what is wanted is known and valid again";
    assert_eq!(look(None), over);
    assert_eq!(look(None), "");
}

#[test]
fn an_engine_that_stays_away_is_told_once() {
    let (mut drive, mut told) = (drive("good"), Told::default());
    settle(&mut drive, &mut told);
    let news: Vec<Notice> = (1..9).filter_map(|it| told.blind(it, "no socket")).collect();
    assert_eq!(news, [Notice::new(NoticeKind::Unavailable, "engine", "no socket")]);
    assert_eq!(settle(&mut drive, &mut told), [RECOVERED]);
}

#[test]
fn of_many_objects_that_drift_only_the_first_are_named() {
    let services: String =
        (0..7).map(|it| format!("w{it}: {{image: 'web:1'}}, ")).collect();
    let mut drive = Drive::settled(&format!("services: {{{services}}}"));
    let mut told = Told::default();
    settle(&mut drive, &mut told);
    for number in 0..7 {
        drive.machine.remove_by_force(&format!("demo-w{number}-1"));
    }
    let news = look(&mut drive, &mut told, None);
    assert!(news[0].ends_with("service/w4/1 to create, and 2 more"), "{news:#?}");
}

#[test]
fn a_check_that_fails_is_told_once_with_what_to_do_and_so_is_its_end() {
    use crate::planning::check::history::CheckState;
    use crate::planning::check::{CheckResult, Verdict};
    let (mut drive, mut told) = (drive("good"), Told::default());
    settle(&mut drive, &mut told);
    let state = |name: &str, kind: &str, believed| {
        let last = CheckResult {
            name: name.into(),
            kind: kind.to_owned(),
            verdict: believed,
            found: format!("service/web/1: {name} is broken"),
            next: Some("mend it".to_owned()),
            findings: Vec::new(),
            time: crate::state::time::EngineTime::UNIX_EPOCH,
            took: std::time::Duration::ZERO,
        };
        (last.name.clone(), CheckState { last, believed, row: 3 })
    };
    // The services tell of their containers themselves.
    let failing = [
        state("s3", "s3", Verdict::Fail),
        state("containers", "containers", Verdict::Fail),
        state("image-age", "image_age", Verdict::Warn),
    ];
    drive.memory.checks = failing.into();
    let news = look(&mut drive, &mut told, None);
    assert_eq!(
        news,
        ["check-failed check/s3: service/web/1: s3 is broken. Next: mend it"]
    );
    assert_eq!(look(&mut drive, &mut told, None), Vec::<String>::new());
    // Another process does not tell it again, and tells its end.
    let mut told = Told::of(&drive.memory);
    assert_eq!(look(&mut drive, &mut told, None), Vec::<String>::new());
    drive.memory.checks = [state("s3", "s3", Verdict::Pass)].into();
    let news = look(&mut drive, &mut told, None);
    assert_eq!(news, ["recovered check/s3: the check passes again"]);
}
