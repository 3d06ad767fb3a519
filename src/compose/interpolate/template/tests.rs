//! How templates expand.

use proptest::prelude::*;

use super::super::variables::Variables;
use super::*;

fn run(template: &str) -> Expanded {
    let mut variables = Variables::default();
    let long = "x".repeat(600_000);
    let values =
        [("A", ""), ("B", "b"), ("C", "$B"), ("PASSWORD", "hunter2"), ("LONG", &long)];
    for (name, text) in values {
        variables.set(name, Variable::named(name, text));
    }
    expand(template, &|name| variables.get(name))
}

fn text(template: &str) -> String {
    let expanded = run(template);
    assert_eq!(expanded.faults, [], "{template}");
    expanded.text
}

fn fault(template: &str) -> (Range<usize>, String) {
    let mut expanded = run(template);
    assert_eq!(expanded.faults.len(), 1, "{template}");
    let fault = expanded.faults.remove(0);
    (fault.range, fault.message)
}

#[test]
fn references_become_their_values() {
    for (template, expected) in [
        ("$B-$B_", "b-"),
        ("${B}x", "bx"),
        ("$Bü", ""),
        ("$B ü", "b ü"),
        ("$C", "$B"),
        ("$$B", "$B"),
        ("$$$B", "$b"),
        ("$${B}", "${B}"),
        ("$1 $. $(x) $", "$1 $. $(x) $"),
        ("${X:-d}${A:-d}${B:-d}", "ddb"),
        ("${X-d}${A-d}${B-d}", "db"),
        ("${X:+r}${A:+r}${B:+r}", "r"),
        ("${X+r}${A+r}${B+r}", "rr"),
        ("${B:?m}${A?m}", "b"),
        ("${X:-a$B${A:-c}}", "abc"),
        ("${X:-{\"a\":1}}y", "{\"a\":1}y"),
        ("${X:-}}", "}"),
        ("${X:-a{b}", "a{b"),
        ("${X:-$$}", "$"),
        ("${X:-a?b:-c}", "a?b:-c"),
        ("${b}", ""),
    ] {
        let expected = if template == "$Bü" { "bü" } else { expected };
        assert_eq!(text(template), expected, "{template}");
    }
}

#[test]
fn what_is_no_reference_is_refused_at_its_place() {
    assert_eq!(fault("x${}").0, 1..4);
    assert_eq!(fault("${1}").0, 0..4);
    assert_eq!(fault("${ B}").0, 0..5);
    assert_eq!(fault("a ${B/b/c} d").0, 2..10);
    assert_eq!(fault("${B:}").0, 0..5);
    assert_eq!(fault("${B:=x}").0, 0..7);
    assert_eq!(fault("ä${B").0, 2..5);
    assert_eq!(fault("${B:-${unclosed}").0, 0..16);
    assert_eq!(fault("${B:-x${}}").0, 6..9);
}

#[test]
fn a_required_variable_is_missed_with_the_words_of_the_file() {
    assert_eq!(
        fault("${X:?ask $B}").1,
        "the variable X is required and has no value: ask b"
    );
    assert_eq!(fault("${A:?}").1, "the variable A is required and has no value");
    assert!(!fault("${X:?$PASSWORD}").1.contains("hunter2"));
}

#[test]
fn a_word_that_is_not_needed_demands_nothing() {
    let expanded = run("${B:-${X:?no}}${X:+$Y}");
    assert_eq!((expanded.text.as_str(), expanded.unset.len()), ("b", 0));
    assert_eq!(expanded.faults, []);
}

#[test]
fn a_variable_that_is_not_set_is_empty_and_named() {
    let expanded = run("a$X${Y}");
    assert_eq!(expanded.text, "a");
    assert_eq!(expanded.unset, [("X".to_owned(), 1..3), ("Y".to_owned(), 3..7)]);
}

#[test]
fn a_secret_taints_what_it_goes_into() {
    for (template, sensitive) in [
        ("a${PASSWORD}", true),
        ("${PASSWORD:-x}", true),
        ("${DB_PASSWORD:-x}", true),
        ("${X:-$PASSWORD}", true),
        ("${DB_PASSWORD:-}", false),
        ("${DB_PASSWORD}", false),
        ("${PASSWORD:+x}", false),
        ("${B:-$PASSWORD}", false),
        ("$B", false),
    ] {
        assert_eq!(run(template).sensitive, sensitive, "{template}");
    }
}

#[test]
fn growth_and_depth_have_an_end() {
    assert!(fault("$LONG$LONG$LONG").1.contains("1 MiB"));
    let deep = format!("{}{}", "${X:-".repeat(40), "}".repeat(40));
    assert!(fault(&deep).1.contains("too deep"));
    assert!(!run(&"${X:-".repeat(100_000)).faults.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_panics_and_every_fault_lies_inside(
        template in "([$}{:?+AXB-]|\\$\\{|ü){0,40}",
    ) {
        let expanded = run(&template);
        let ranges = expanded.faults.iter().map(|fault| &fault.range)
            .chain(expanded.unset.iter().map(|(_, range)| range));
        for range in ranges {
            prop_assert!(template.get(range.clone()).is_some());
        }
    }

    #[test]
    fn text_without_a_dollar_stays_as_it_is(template in "[^$]{0,40}") {
        let expanded = run(&template);
        prop_assert!(!expanded.changed);
        prop_assert_eq!(expanded.text, template);
    }
}
