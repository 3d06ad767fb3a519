//! What each key takes, and what is said of what it does not.

use super::*;
use crate::compose::canonical::canonicalise;
use crate::compose::problem::Sources;
use crate::compose::yaml;

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
        heal: None,
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
fn keys_of_later_days_are_accepted_and_said_to_do_nothing() {
    let (_, problems) = on_service("{probe: {tcp: 1}, immutable: [x]}");
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().all(|problem| problem.contains("is not honoured yet")));
    assert_eq!(on_stack("{backup: {}, notify: []}").1.len(), 2);
}
