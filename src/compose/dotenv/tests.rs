use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn environment() -> Variables {
    let mut variables = Variables::default();
    for (name, text) in [("OUT", "host"), ("Z", "zhost"), ("TOKEN", "s3cret")] {
        variables.set(name, Variable::named(name, text));
    }
    variables
}

fn show(file: &DotEnv) -> String {
    assert_eq!(file.faults, []);
    let entries: Vec<_> = file
        .variables
        .iter()
        .map(|(name, variable)| format!("{name}={:?}", variable.text))
        .collect();
    entries.join(" ")
}

fn read(text: &str) -> String {
    show(&parse(text, &environment()))
}

fn fault(text: &str) -> (usize, String) {
    let mut file = parse(text, &environment());
    let fault = file.faults.pop().expect("a fault");
    (fault.range.start, fault.message)
}

/// The expected values are what docker compose 2.26.1 makes of the same text.
#[test]
fn every_form_of_a_statement_is_read() {
    for (text, expected) in [
        ("A=1\nB = 2\nC= 3 \n D=4\n", r#"A="1" B="2" C="3" D="4""#),
        ("export A=1\nexport\tB=2\nexport=3\n", r#"A="1" B="2" export="3""#),
        ("A: x\nB : y\nC:z\n", r#"A="x" B="y" C="z""#),
        ("1A=x\nA-B=x\nC.D=y\nE[0]=z\n", r#"1A="x" A-B="x" C.D="y" E[0]="z""#),
        ("OUT\nNOPE\nB=1", r#"B="1" OUT="host""#),
        ("A=1\nA=2\n", r#"A="2""#),
        ("A=\nB=\"\"\n# c\n\n   # d\n", r#"A="" B="""#),
        ("A=1\r\nB=\"x\"\r\nOUT\r\n", r#"A="1" B="x" OUT="host""#),
    ] {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn comments_begin_where_compose_sees_them() {
    assert_eq!(
        read("A=unq # c\nB=x# y\nC=#z\nD= # z\nE=\"q\" # c\nF='s' # c\nP=a\t#b\n"),
        r##"A="unq" B="x# y" C="#z" D="# z" E="q" F="s" P="a\t#b""##
    );
}

#[test]
fn escapes_belong_to_double_quotes() {
    assert_eq!(
        read(
            "A=\"a\\tb\\nc\\\"d\\\\e\\x\"\nB='a\\tb'\nC=a\\tb\nD='it\\'s'\nE=\"\\$Z\"\n"
        ),
        r#"A="a\tb\nc\"d\\e\\x" B="a\\tb" C="a\\tb" D="it's" E="$Z""#
    );
}

#[test]
fn quotes_may_hold_several_lines_and_end_the_value() {
    assert_eq!(
        read("A=\"l1\n l2 # x\n\" # c\nB='m1\nm2'\nC=\"x\"y\nD=a\"b\"c\n"),
        r#"A="l1\n l2 # x\n" B="m1\nm2" C="x" D="a\"b\"c""#
    );
}

#[test]
fn values_name_the_environment_first_and_then_the_file() {
    assert_eq!(
        read("Z=own\nP=${Z}-x\nB=b\nC=$B\nD='$B'\nE=\"$B\"\nG=$$B\nH=${X:-d}\n"),
        r#"B="b" C="b" D="$B" E="b" G="$B" H="d" P="zhost-x" Z="own""#
    );
    let file = parse("A=$NOPE\n", &environment());
    assert_eq!(file.unset, [("NOPE".to_owned(), 2..7)]);
}

#[test]
fn what_a_secret_went_into_is_one() {
    let file =
        parse("DB_PASSWORD=x\nURL=u:$DB_PASSWORD@h\nA=$TOKEN\nB=b\n", &environment());
    let sensitive: Vec<_> = file
        .variables
        .iter()
        .filter(|(_, variable)| variable.sensitive)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(sensitive, ["A", "DB_PASSWORD", "URL"]);
}

#[test]
fn faults_have_a_place_and_show_no_value() {
    assert_eq!(fault("A=1\nB=\"x\ny\nC=1\n").0, 6);
    assert_eq!(fault("A B=x\n").0, 2);
    assert_eq!(fault("=x\n").0, 0);
    assert_eq!(fault("{\"A\":1}\n").0, 0);
    assert_eq!(
        fault("A=${B:?no}\n").1,
        "the variable B is required and has no value: no"
    );
    let text = "PASSWORD=hunter2\nB=\"open\nsecret\n";
    let shown = conceal(text, &parse(text, &environment()));
    assert_eq!(shown, "PASSWORD********\nB******\n******\n");
}

#[test]
fn raw_files_are_literal() {
    let text = "# c\nA=\"x\" # y\n B=$Z\nOUT\nNOPE\n\nC==\r\n";
    assert_eq!(
        show(&parse_raw(text, &environment())),
        r#"A="\"x\" # y" B="$Z" C="=" OUT="host""#
    );
    assert_eq!(parse_raw("A B=1", &environment()).faults[0].range, 0..0);
}

#[test]
fn values_that_double_each_other_have_an_end() {
    let mut text = "A0=xxxxxxxxxx\n".to_owned();
    for level in 1..60 {
        let below = level - 1;
        writeln!(text, "A{level}=$A{below}$A{below}").unwrap();
    }
    assert_eq!(parse(&text, &Variables::default()).faults.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_panics(text in "([A-C=:\"'\\\\ \n#${}-]|export |\r\n|ü|\t){0,40}") {
        let file = parse(&text, &environment());
        for fault in &file.faults {
            prop_assert!(text.get(fault.range.clone()).is_some());
        }
        prop_assert_eq!(conceal(&text, &file).len(), text.len());
        drop(parse_raw(&text, &environment()));
    }

    #[test]
    fn single_quotes_keep_every_value(value in "[^'\\\\]{0,40}") {
        let file = parse(&format!("A='{value}'\n"), &environment());
        prop_assert_eq!(file.variables.text("A"), Some(value.as_str()));
    }
}
