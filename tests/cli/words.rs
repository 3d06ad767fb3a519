//! Help, completions, the command line itself, and colour.

use crate::product::Product;

const COMMANDS: [&str; 10] = [
    "validate",
    "config",
    "diff",
    "apply",
    "run",
    "status",
    "events",
    "explain",
    "delete",
    "completions",
];

#[test]
fn help_is_a_result_and_every_command_has_an_example() {
    let product = Product::bare();
    let help = product.ends(0, &["--help"]);
    assert_eq!(help.notices, "");
    for command in COMMANDS {
        assert!(help.output.contains(command), "{command}");
        let own = product.ends(0, &[command, "--help"]);
        assert!(own.output.contains("Examples:"), "{command}");
        assert!(
            own.output.contains(&format!("reconciler {command}"))
                || own.output.contains(&format!(" {command} ")),
            "{command}"
        );
        assert_eq!(own.notices, "", "{command}");
    }
    let version = product.ends(0, &["--version"]).output;
    assert_eq!(version, concat!("reconciler ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_wrong_command_line_is_invalid_and_says_what_is_near() {
    let product = Product::bare();
    for (arguments, word) in [
        (&["aply"][..], "apply"),
        (&["diff", "--porject-name", "x"], "--project-name"),
        (&["apply", "--timeout", "soon"], "10m"),
        (&["diff", "-o", "xml"], "json"),
        (&[], "Usage"),
        (&["explain"], "<SERVICE>"),
        (&["backup"], "create"),
    ] {
        let ended = product.ends(2, arguments);
        assert!(ended.notices.contains(word), "{arguments:?}: {ended}");
        assert_eq!(ended.output, "", "{arguments:?}");
    }
}

#[test]
fn every_shell_gets_a_script() {
    let product = Product::bare();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = product.ends(0, &["completions", shell]);
        for command in COMMANDS {
            assert!(ended.output.contains(command), "{shell}: {command}");
        }
        assert_eq!(ended.notices, "", "{shell}");
    }
    product.shell(&format!(
        "'{}' completions bash > script; bash -n script",
        env!("CARGO_BIN_EXE_reconciler")
    ));
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let mut product = Product::new();
    product.write("stack.yaml", "services: {a: {imgae: x}}\n");
    let is_coloured = |product: &Product, arguments: &[&str]| {
        product.ends(2, arguments).notices.contains('\u{1b}')
    };
    assert!(!is_coloured(&product, &["validate"]));
    assert!(is_coloured(&product, &["validate", "--color", "always"]));
    product.variable("NO_COLOR", "1");
    assert!(!is_coloured(&product, &["validate"]));
    assert!(is_coloured(&product, &["validate", "--color", "always"]));
    product.variable("CLICOLOR_FORCE", "1");
    assert!(!is_coloured(&product, &["validate", "--color", "never"]));
}
