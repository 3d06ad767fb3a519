//! What happens to a container that does not prove itself.

use std::time::Duration;

use crate::planning::testing::{Drive, Named, Software};
use crate::state::desired::FailureAction;
use crate::state::ids::ServiceName;
use crate::state::observed::Status;
use crate::state::value::Value;

const CHECKED: &str = "restart: always, healthcheck: {test: [CMD, ready]}";

fn web(level: &str, more: &str) -> String {
    format!(
        "services: {{web: {{image: 'web:1', environment: {{LEVEL: '{level}'}}, {more}}}}}"
    )
}

/// A drive that is about to go from a level that works to one that never gets ready.
fn good_to_bad(more: &str) -> Drive {
    let mut drive = Drive::settled(&web("good", more));
    drive.want(&web("bad", more));
    drive.machine.levels.insert("bad".to_owned(), Software::sick());
    drive
}

/// Returns the level of the one container that there is, and asserts that it serves.
fn level(drive: &Drive) -> String {
    assert_eq!(drive.machine.names(), [("demo-web-1".to_owned(), "running")].into());
    let web = drive.machine.named("demo-web-1");
    let policy = web.document.get("HostConfig.RestartPolicy.Name");
    assert_eq!(policy, &Value::text("always"), "{:?}", drive.history);
    web.document.get("Config.Env").get("LEVEL").to_string()
}

#[test]
fn a_container_that_never_gets_ready_makes_room_for_the_old_one() {
    let mut drive = good_to_bad(CHECKED);
    drive.settle();
    assert_eq!(level(&drive), "good");
    let history: Vec<&str> = drive
        .history
        .iter()
        .map(String::as_str)
        .filter(|it| !it.contains("probe"))
        .collect();
    assert_eq!(
        history,
        [
            "create demo-web-1.next-00000002",
            "update demo-web-1 RestartPolicy.Name=no",
            "stop demo-web-1",
            "rename demo-web-1 to demo-web-1.old-00000002",
            "rename demo-web-1.next-00000002 to demo-web-1",
            "start demo-web-1",
            "update demo-web-1 RestartPolicy.Name=no",
            "stop demo-web-1",
            "rename demo-web-1 to demo-web-1.failed-00000003",
            "rename demo-web-1.old-00000002 to demo-web-1",
            "update demo-web-1 RestartPolicy.Name=always",
            "start demo-web-1",
            "read log demo-web-1.failed-00000003",
            "remove demo-web-1.failed-00000003",
        ]
    );
}

#[test]
fn what_was_rejected_is_not_tried_again_until_it_is_wanted_otherwise() {
    let mut drive = good_to_bad(CHECKED);
    drive.settle();
    insta::assert_snapshot!("given_up", drive.text());
    drive.history.clear();
    drive.machine.advance(Duration::from_hours(24));
    drive.settle();
    assert_eq!(drive.history, Vec::<String>::new(), "no retry storm");
    // Words that change nothing do not bring it back either.
    drive.want(&format!("# a remark\n{}", web("bad", CHECKED))).settle();
    assert_eq!(drive.history, Vec::<String>::new());
    drive.want(&web("better", CHECKED)).settle();
    assert_eq!(level(&drive), "better");
    assert_eq!(drive.memory.rejections, [].into());
}

#[test]
fn an_image_that_has_yet_to_be_pulled_is_no_reason_to_stay_with_the_old_one() {
    let of = |image: &str| web(image, CHECKED).replace("web:1", image);
    let mut drive = Drive::settled(&of("web:1"));
    drive.machine.levels.insert("web:2".to_owned(), Software::sick());
    drive.want(&of("web:2")).settle();
    assert_eq!(level(&drive), "web:1");
    drive.history.clear();
    drive.want(&of("web:3")).settle();
    assert_eq!(drive.history[0], "pull web:3");
    assert_eq!(level(&drive), "web:3");
}

#[test]
fn a_person_who_says_retry_has_it_tried_once_more() {
    let mut drive = good_to_bad(CHECKED);
    drive.settle();
    drive.machine.levels.clear();
    drive.memory.try_again(Some(&"web".into()));
    drive.settle();
    assert_eq!(level(&drive), "bad");
}

#[test]
fn the_old_container_is_healed_while_what_is_wanted_is_given_up() {
    let mut drive = good_to_bad(CHECKED);
    drive.settle();
    drive.machine.end_by_hand("demo-web-1", 1);
    drive.settle();
    assert_eq!(level(&drive), "good");
    drive.machine.remove_by_force("demo-web-1");
    drive.machine.levels.clear();
    drive.settle();
    assert_eq!(level(&drive), "bad", "nothing else is there to come back");
}

#[test]
fn three_ends_are_enough() {
    let mut drive = good_to_bad(CHECKED);
    drive.machine.levels.insert("bad".to_owned(), Software::ends(3));
    drive.until("start demo-web-1");
    let before = drive.machine.now().moment;
    drive.until("start demo-web-1");
    let took = drive.machine.now().moment.since(before);
    assert!(took < Duration::from_secs(30), "{took:?}");
    drive.settle();
    assert_eq!(level(&drive), "good");
    let events: Vec<&str> = drive
        .memory
        .events
        .iter()
        .filter(|it| it.reason == "RolledBack")
        .map(|it| it.message.as_str())
        .collect();
    let said = "the change was given up (web:1, exit code 3): it ended 3 times, the last \
                with code 3; what was there before comes back";
    assert_eq!(events[0], said);
    let why = &drive.memory.rejections[&ServiceName::new("web")].why;
    assert_eq!(why, "it ended 3 times, the last with code 3");
}

#[test]
fn without_a_restart_policy_it_is_the_same() {
    let bare = "restart: 'no', x-reconciler: {job: false}";
    let mut drive = good_to_bad(bare);
    drive.machine.levels.insert("bad".to_owned(), Software::ends(3));
    drive.settle();
    let web = drive.machine.named("demo-web-1");
    assert_eq!(web.document.get("Config.Env").get("LEVEL").to_string(), "good");
    assert_eq!(web.state.status, Status::Running);
}

#[test]
fn a_deadline_of_the_file_counts() {
    let more = format!("{CHECKED}, x-reconciler: {{ready_deadline: 20s}}");
    let mut drive = good_to_bad(&more);
    drive.until("start demo-web-1");
    let before = drive.machine.now().moment;
    drive.until("stop demo-web-1");
    let took = drive.machine.now().moment.since(before).as_secs();
    assert!((19..25).contains(&took), "{took}");
}

#[test]
fn the_clock_stands_still_while_a_dependency_is_not_ready() {
    let stack = |level: &str| {
        format!(
            "services:\n  db: {{image: 'db:1', {CHECKED}}}\n  web: {{image: 'web:1', \
             environment: {{LEVEL: {level}}}, {CHECKED}, x-reconciler: {{ready_deadline: 20s}}, \
             depends_on: {{db: {{condition: service_healthy}}}}}}"
        )
    };
    let mut drive = Drive::settled(&stack("good"));
    drive.want(&stack("slow"));
    let slow = Software::well_after(Duration::from_secs(100));
    drive.machine.levels.insert("slow".to_owned(), slow);
    drive.machine.software.insert("db".into(), Software::sick());
    drive.until("start demo-web-1");
    // Its dependency gets sick while it starts.
    drive.machine.end_by_hand("demo-db-1", 1);
    for _ in 0..60 {
        drive.one();
    }
    assert_eq!(drive.memory.rejections, [].into(), "{:#?}", drive.history);
}

#[test]
fn another_image_that_has_written_to_data_is_left_for_a_person_to_decide() {
    let db = |image: &str, more: &str| {
        format!(
            "services: {{db: {{image: '{image}', environment: {{LEVEL: '{image}'}}, \
             {CHECKED}, volumes: ['data:/data']{more}}}}}\nvolumes: {{data: {{}}}}"
        )
    };
    let mut drive = Drive::settled(&db("db:1", ""));
    drive.machine.levels.insert("db:2".to_owned(), Software::sick());
    drive.want(&db("db:2", "")).settle();
    let names = drive.machine.names();
    assert_eq!(names["demo-db-1"], "running");
    assert_eq!(names["demo-db-1.old-00000002"], "exited", "it is kept");
    assert_eq!(
        drive.memory.rejections[&ServiceName::new("db")].action,
        FailureAction::Pause
    );
    insta::assert_snapshot!("paused_on_data", drive.text());
    let status = drive.status();
    let degraded = &status.services[0].conditions[2];
    assert_eq!((degraded.status, degraded.reason.as_str()), (Some(true), "UpdatePaused"));
    // A person who wants the old one gets it back.
    drive.history.clear();
    drive.want(&db("db:1", "")).settle();
    assert_eq!(drive.machine.names(), [("demo-db-1".to_owned(), "running")].into());
    assert!(
        !drive.history.iter().any(|it| it.contains("create")),
        "{:#?}",
        drive.history
    );
    // Who says that it can go back has it go back.
    let back = ", deploy: {update_config: {failure_action: rollback}}";
    drive.want(&db("db:2", back)).settle();
    let db = drive.machine.named("demo-db-1");
    assert_eq!(db.document.get("Config.Image").to_string(), "db:1");
}

#[test]
fn what_gets_well_after_it_was_left_to_a_person_is_as_wanted() {
    let pause =
        format!("{CHECKED}, deploy: {{update_config: {{failure_action: pause}}}}");
    let mut drive = good_to_bad(&pause);
    drive.settle();
    assert_eq!(
        drive.memory.rejections[&ServiceName::new("web")].action,
        FailureAction::Pause
    );
    drive.machine.levels.clear();
    drive.machine.advance(Duration::from_mins(2));
    drive.settle();
    assert_eq!(level(&drive), "bad");
    assert_eq!(drive.memory.rejections, [].into());
}

#[test]
fn what_was_left_to_a_person_gets_its_time_again_when_the_file_changes_in_place() {
    let pause =
        format!("{CHECKED}, deploy: {{update_config: {{failure_action: pause}}}}");
    let mut drive = good_to_bad(&pause);
    drive.settle();
    drive.want(&web("bad", &format!("{pause}, cpus: 1")));
    drive.pass();
    drive.pass();
    assert_eq!(drive.memory.rejections, [].into(), "it is given time");
    drive.machine.levels.clear();
    drive.machine.advance(Duration::from_mins(1));
    drive.settle();
    assert_eq!(level(&drive), "bad");
}

#[test]
fn a_rollback_is_never_rolled_back() {
    let mut drive = good_to_bad(CHECKED);
    drive.until("rename demo-web-1.old-00000002 to demo-web-1");
    drive.machine.levels.insert("good".to_owned(), Software::sick());
    drive.history.clear();
    for _ in 0..400 {
        drive.one();
    }
    let deeds = drive.history.iter().filter(|it| !it.contains("probe")).count();
    assert!(deeds < 10, "{:#?}", drive.history);
    let web = drive.machine.named("demo-web-1");
    assert_eq!(web.document.get("Config.Env").get("LEVEL").to_string(), "good");
}

#[test]
fn what_was_never_ready_is_nothing_to_come_back_to() {
    let mut drive = Drive::new(crate::planning::testing::desired(&web("a", CHECKED)));
    drive.machine.levels.insert("a".to_owned(), Software::sick());
    drive.machine.levels.insert("b".to_owned(), Software::sick());
    drive.until("start demo-web-1");
    drive.want(&web("b", CHECKED));
    for _ in 0..500 {
        drive.one();
    }
    assert_eq!(drive.memory.rejections, [].into());
    let web = drive.machine.named("demo-web-1");
    assert_eq!(web.document.get("Config.Env").get("LEVEL").to_string(), "b");
    drive.machine.levels.clear();
    drive.settle();
    assert_eq!(level(&drive), "b");
}

#[test]
fn a_third_wish_is_tried_while_the_second_fails_and_comes_back_to_the_first() {
    let mut drive = good_to_bad(CHECKED);
    drive.machine.levels.insert("worse".to_owned(), Software::sick());
    drive.until("start demo-web-1");
    drive.want(&web("worse", CHECKED)).settle();
    assert_eq!(level(&drive), "good", "{:#?}", drive.history);
}

#[test]
fn however_many_wishes_follow_one_another_at_most_three_containers_are_kept() {
    for is_ready in [false, true] {
        let mut drive = Drive::settled(&web("good", CHECKED));
        let base = drive.machine.named("demo-web-1").id.clone();
        for wish in 0..8 {
            let level = format!("wish{wish}");
            if !is_ready {
                drive.machine.levels.insert(level.clone(), Software::sick());
            }
            drive.want(&web(&level, CHECKED)).until("start demo-web-1");
            let all = drive.machine.containers.len();
            assert!(all <= 3, "{all} after {wish}: {:#?}", drive.history);
            assert!(drive.machine.containers.contains_key(&base), "{:#?}", drive.history);
        }
        drive.settle();
        let expected = if is_ready { "wish7" } else { "good" };
        assert_eq!(level(&drive), expected, "{:#?}", drive.history);
        assert_eq!(drive.machine.containers.len(), 1, "{:#?}", drive.history);
    }
}
