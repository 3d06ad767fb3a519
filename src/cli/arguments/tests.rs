//! What may be typed, and what it means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::*;
use crate::cli::options::{Color, Format};

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    parse_with(line, &[])
}

fn parse_with(line: &str, variables: &[(&str, &str)]) -> Result<Arguments, clap::Error> {
    let words = std::iter::once("reconciler").chain(line.split_whitespace());
    parse_from(words.map(OsString::from), &BTreeMap::new(), |wanted| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| OsString::from(value))
    })
}

fn options(line: &str) -> Options {
    parse(line).unwrap().options
}

#[test]
fn nothing_but_a_command_means_the_defaults() {
    let arguments = parse("diff").unwrap();
    assert_eq!(arguments.command, Command::Diff);
    let options = arguments.options;
    assert_eq!(options.files, [PathBuf::from("desired-state")]);
    assert_eq!((options.output, options.color), (Format::Text, Color::Auto));
    assert_eq!((options.host, options.project_name, options.verbose), (None, None, 0));
}

#[test]
fn options_may_stand_before_and_after_the_command() {
    let before = "-f a.yaml --env-file x --env-file y -p shop --profile p,q --host h \
                  --state-dir s -o json --color never -v --insecure-permissions";
    assert_eq!(options(&format!("{before} diff")), options(&format!("diff {before}")));
    let options = options(&format!("{before} diff"));
    assert_eq!(options.env_files, [PathBuf::from("x"), PathBuf::from("y")]);
    assert_eq!(options.profiles, ["p", "q"]);
    assert_eq!(options.state_dir, Some(PathBuf::from("s")));
    assert!(options.insecure_permissions);
}

#[test]
fn lists_on_both_sides_add_up_and_of_single_values_the_later_counts() {
    let options = options("-f a -p one -v --color always diff -f b -p two -vv");
    assert_eq!(options.files, [PathBuf::from("a"), PathBuf::from("b")]);
    assert_eq!(options.project_name.as_deref(), Some("two"));
    assert_eq!((options.verbose, options.color), (3, Color::Always));
}

#[test]
fn every_command_has_its_options() {
    let command = |line| parse(line).unwrap().command;
    let Command::Apply(apply) = command("apply --timeout 1m30s --allow-prune") else {
        panic!("not apply");
    };
    assert_eq!(apply.timeout, Duration::from_secs(90));
    assert!(apply.prune.allow_prune && !apply.no_wait);
    let Command::Run(run) = command("run --log-format json") else { panic!("not run") };
    assert_eq!(run.log_format, LogFormat::Json);
    assert_eq!(command("status -w"), Command::Status(Status { watch: true }));
    assert_eq!(
        command("events etcd --watch"),
        Command::Events(Events { service: Some("etcd".to_owned()), watch: true })
    );
    assert_eq!(
        command("events"),
        Command::Events(Events { service: None, watch: false })
    );
    assert_eq!(
        command("delete --volumes -y"),
        Command::Delete(Delete { volumes: true, yes: true })
    );
    assert_eq!(
        command("explain etcd -o json"),
        Command::Explain(Explain { service: "etcd".to_owned() })
    );
    assert_eq!(command("validate"), Command::Validate);
    assert_eq!(command("config"), Command::Config);
}

#[test]
fn ten_minutes_are_the_default_and_nonsense_is_refused() {
    assert_eq!(duration("10m"), Ok(Duration::from_mins(10)));
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    for nonsense in ["", "10", "-1s", "1 fortnight", "m"] {
        assert!(duration(nonsense).is_err(), "{nonsense}");
    }
    let Command::Apply(apply) = parse("apply").unwrap().command else {
        panic!("not apply");
    };
    assert_eq!(apply.timeout, Duration::from_mins(10));
    let error = parse("apply --timeout 10").unwrap_err().to_string();
    assert!(error.contains("a duration is written 30s, 10m or 1m30s"), "{error}");
}

#[test]
fn mistakes_are_usage_errors_with_the_nearest_word() {
    let error = parse("dif").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("'diff'"), "{error}");
    assert!(parse("diff --timeout 1s").is_err());
    assert!(parse("explain").is_err());
    assert!(parse("-o yaml diff").is_err());
    assert!(parse("").is_err());
}

#[test]
fn the_variables_of_other_tools_count_last() {
    let variables = [("DOCKER_HOST", "tcp://a"), ("COMPOSE_PROJECT_NAME", "shop")];
    let options = parse_with("diff", &variables).unwrap().options;
    assert_eq!(options.host.as_deref(), Some("tcp://a"));
    assert_eq!(options.project_name.as_deref(), Some("shop"));
    let options = parse_with("diff --host b -p c", &variables).unwrap().options;
    assert_eq!(options.host.as_deref(), Some("b"));
    assert_eq!(options.project_name.as_deref(), Some("c"));
    let empty = [("DOCKER_HOST", ""), ("COMPOSE_PROJECT_NAME", "")];
    let options = parse_with("diff", &empty).unwrap().options;
    assert_eq!((options.host, options.project_name), (None, None));
}

#[test]
fn every_flag_has_a_variable_of_its_own() {
    let command = Raw::command();
    let mut variables = BTreeSet::new();
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        for flag in command.get_opts().chain(command.get_arguments()) {
            if flag.is_positional()
                || matches!(flag.get_id().as_str(), "help" | "version")
            {
                continue;
            }
            let variable = flag.get_env().unwrap().to_str().unwrap();
            let long = flag.get_long().unwrap().to_uppercase().replace('-', "_");
            // What is about git says so in its variable, where any tool may see it.
            let long = if long == "GIT" { "GIT_URL".to_owned() } else { long };
            let names = [format!("RECONCILER_{long}"), format!("RECONCILER_GIT_{long}")];
            assert!(names.iter().any(|name| name == variable), "{variable} {long}");
            assert!(flag.is_hide_env_set(), "{variable} could hold a password");
            variables.insert(variable.to_owned());
        }
    }
    assert!(variables.len() >= 17, "{variables:?}");
}

fn configured(line: &str, values: &[(&str, &str)]) -> Result<Arguments, clap::Error> {
    let words = std::iter::once("reconciler").chain(line.split_whitespace());
    let value = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let values = values.iter().map(value).collect();
    parse_from(words.map(OsString::from), &values, |_| None)
}

#[test]
fn a_configuration_file_counts_less_than_the_command_line() {
    const VALUES: [(&str, &str); 6] = [
        ("RECONCILER_GIT_URL", "https://x.example/a"),
        ("RECONCILER_GIT_PATH", "stacks"),
        ("RECONCILER_GIT_INTERVAL", "5m"),
        ("RECONCILER_ALLOW_PRUNE", "true"),
        ("RECONCILER_PROFILE", "p,q"),
        ("RECONCILER_VERBOSE", "1"),
    ];
    let arguments = configured("run --interval 10s", &VALUES).unwrap();
    let options = arguments.options;
    assert_eq!(options.git.as_deref(), Some("https://x.example/a"));
    assert_eq!((options.path, options.profiles.len()), (PathBuf::from("stacks"), 2));
    assert_eq!(options.verbose, 1);
    let Command::Run(run) = arguments.command else { panic!("not run") };
    assert!(run.prune.allow_prune);
    assert_eq!(run.pull.interval, Duration::from_secs(10));
    for line in ["-f a.yaml diff", "diff -f a.yaml"] {
        let options = configured(line, &VALUES).unwrap().options;
        assert_eq!((options.git, options.files), (None, vec![PathBuf::from("a.yaml")]));
    }
    let files = configured("diff", &[("RECONCILER_FILE", "a:b")]).unwrap().options.files;
    assert_eq!(files, [PathBuf::from("a"), PathBuf::from("b")]);
}

#[test]
fn files_and_a_repository_are_not_named_together() {
    for line in ["-f a --git u diff", "diff -f a --git u", "-f a diff --git u"] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains("-f and --git"), "{error}");
    }
    assert!(parse("run --interval 100ms").is_err());
    assert!(parse("run --branch a --tag b").is_err());
}

#[test]
fn the_command_line_is_sound_and_every_command_has_an_example() {
    Raw::command().debug_assert();
    for command in Raw::command().get_subcommands().filter(|it| it.get_name() != "help") {
        let more = command.get_after_help().unwrap().to_string();
        let example = format!("reconciler {}", command.get_name());
        let with_options = format!(" {}", command.get_name());
        assert!(more.contains("Examples:"), "{more}");
        assert!(more.contains(&example) || more.contains(&with_options), "{more}");
    }
}

#[test]
fn the_help_reads_well() {
    let help = |line: &str| {
        let words = std::iter::once("reconciler").chain(line.split_whitespace());
        Raw::command()
            .term_width(100)
            .try_get_matches_from(words)
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!("help", help("--help"));
    insta::assert_snapshot!("help_apply", help("apply --help"));
    assert_eq!(help("apply --help"), help("apply -h"));
    assert_eq!(parse("diff --help").unwrap_err().exit_code(), 0);
}

#[test]
fn completions_know_commands_and_options() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let script = String::from_utf8(completions(shell)).unwrap();
        assert!(script.contains("apply") && script.contains("allow-prune"), "{shell}");
    }
}

/// Only a process of its own can have variables of its own, so the test runs itself.
#[test]
fn variables_count_unless_the_command_line_says_otherwise() {
    const VARIABLES: [(&str, &str); 7] = [
        ("RECONCILER_FILE", "a.yaml:b.yaml"),
        ("RECONCILER_PROFILE", "p,q"),
        ("RECONCILER_HOST", "tcp://ours"),
        ("RECONCILER_VERBOSE", "2"),
        ("RECONCILER_OUTPUT", "json"),
        ("RECONCILER_ALLOW_PRUNE", "yes"),
        ("RECONCILER_TIMEOUT", "5s"),
    ];
    if std::env::var_os("RECONCILER_FILE").is_none() {
        let name = "cli::arguments::tests::variables_count_unless_the_command_line_says_otherwise";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .envs(VARIABLES)
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && output.contains("1 passed"), "{output}");
        return;
    }
    let arguments = parse_with("apply", &[("DOCKER_HOST", "tcp://theirs")]).unwrap();
    let options = arguments.options;
    assert_eq!(options.files, [PathBuf::from("a.yaml"), PathBuf::from("b.yaml")]);
    assert_eq!(options.profiles, ["p", "q"]);
    assert_eq!(options.host.as_deref(), Some("tcp://ours"));
    assert_eq!((options.verbose, options.output), (2, Format::Json));
    let Command::Apply(apply) = arguments.command else { panic!("not apply") };
    assert!(apply.prune.allow_prune && !apply.no_wait);
    assert_eq!(apply.timeout, Duration::from_secs(5));
    for line in ["-f c:d -o text -v apply", "apply -f c:d -o text -v"] {
        let options = parse(line).unwrap().options;
        assert_eq!(options.files, [PathBuf::from("c:d")], "{line}");
        assert_eq!((options.verbose, options.output), (1, Format::Text), "{line}");
    }
}
