use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::compose::node::{Kind, Tag, Text};
use crate::compose::problem::Sources;

/// Reads text; the trees without places as flow text, or the problems as
/// `line:column message`.
fn read(text: &str) -> Result<Vec<String>, Vec<String>> {
    let (sources, documents, problems) = parts(text);
    documents.map(|nodes| nodes.iter().map(show).collect()).ok_or_else(|| {
        problems
            .iter()
            .map(|problem| {
                let (_, line, column) = sources
                    .position(problem.span.expect("located"))
                    .expect("in the file");
                format!("{line}:{column} {}", problem.message)
            })
            .collect()
    })
}

fn parts(text: &str) -> (Sources, Option<Vec<Node>>, Problems) {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let file = sources.add("f.yaml".into(), text.to_owned());
    let documents = parse(file, text, &mut problems);
    assert_eq!(documents.is_none(), problems.has_errors());
    (sources, documents, problems)
}

fn show(node: &Node) -> String {
    let tag = match node.tag {
        Tag::None => "",
        Tag::Reset => "!reset ",
        Tag::Override => "!override ",
    };
    let shown = match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Text(Text { text, plain: true, .. }) => text.clone(),
        Kind::Text(Text { text, .. }) => format!("{text:?}"),
        Kind::Sequence(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Kind::Mapping(entries) => {
            let entries = entries
                .iter()
                .map(|(key, entry)| format!("{key}: {}", show(&entry.node)))
                .collect::<Vec<_>>();
            format!("{{{}}}", entries.join(", "))
        }
        Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) => unreachable!("not typed here"),
    };
    format!("{tag}{shown}")
}

fn one(text: &str) -> String {
    let documents = read(text).expect("valid");
    assert_eq!(documents.len(), 1, "{documents:?}");
    documents.concat()
}

fn error(text: &str) -> String {
    read(text).expect_err(text).join("; ")
}

#[test]
fn scalars_stay_as_they_were_written_until_an_attribute_types_them() {
    assert_eq!(
        one("a: yes\nb: 0755\nc: 'x'\nd: 22:22\ne:\nf: ~\ng: \"null\"\nh: 1.10\n"),
        "{a: yes, b: 0755, c: \"x\", d: 22:22, e: null, f: null, g: \"null\", h: 1.10}"
    );
    assert_eq!(one("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), "{a: \"x\\ny\\n\", b: \"x y\"}");
    assert_eq!(
        one("a: !!str 5\nb: !!int \"5\"\nc: !!null ''\n"),
        "{a: \"5\", b: 5, c: null}"
    );
}

#[test]
fn places_are_those_of_key_and_value() {
    let text = "a:\n  b: 'x y'\n  c: [1, 2]\n  d:\n    - z\n";
    let (_, documents, _) = parts(text);
    let root = documents.unwrap().remove(0);
    let slice = |span: Span| &text[span.start as usize..span.end as usize];
    let a = &root.as_mapping().unwrap()["a"];
    assert_eq!(slice(a.key), "a");
    let b = &a.node.as_mapping().unwrap()["b"];
    assert_eq!((slice(b.key), slice(b.node.span)), ("b", "'x y'"));
    assert_eq!(slice(root.at("a.c").unwrap().span), "[1, 2]");
    assert_eq!(slice(root.at("a.d").unwrap().span), "-");
    assert_eq!(slice(a.node.span), "b");
}

#[test]
fn merge_keys_give_way_to_keys_and_to_earlier_mappings() {
    assert_eq!(
        one("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  c: 3\n  <<: [*x, *y]\n"),
        "{x: {a: 1, b: 1}, y: {b: 2, c: 2}, z: {a: 1, b: 1, c: 3}}"
    );
    assert_eq!(one("x: &x {a: 1}\nz: {<<: *x, a: 2}\n"), "{x: {a: 1}, z: {a: 2}}");
    assert_eq!(one("z: {'<<': 1}\n"), "{z: {<<: 1}}");
    assert_eq!(
        error("z:\n  <<: text\n"),
        "2:7 `<<` takes a mapping, or a list of mappings"
    );
    assert_eq!(
        error("x: &x {a: 1}\nz:\n  <<: *x\n  <<: *x\n"),
        "4:3 the key `<<` is there twice"
    );
}

#[test]
fn an_alias_may_stand_wherever_its_text_may() {
    assert_eq!(one("a: &n name\n*n : [*n]\n"), "{a: name, name: [name]}");
}

#[test]
fn documents_of_one_file_come_in_order() {
    assert_eq!(read("a: 1\n---\nb: 2\n...\n").unwrap(), ["{a: 1}", "{b: 2}"]);
    assert_eq!(read("").unwrap(), Vec::<String>::new());
    assert_eq!(read("# nothing\n").unwrap(), Vec::<String>::new());
    assert_eq!(read("---\na: 1\n---\n").unwrap(), ["{a: 1}", "null"]);
}

#[test]
fn reset_and_override_are_kept_and_other_tags_refused() {
    assert_eq!(
        one("a: !reset null\nb: !override {c: 1}\nd: !reset\n  - x\n"),
        "{a: !reset null, b: !override {c: 1}, d: !reset [\"x\"]}".replace('"', "")
    );
    assert_eq!(error("a: !foo x\n"), "1:4 this tag has no meaning in a Compose file");
    assert_eq!(error("a: !!int x\n"), "1:4 the tag does not fit this value");
    assert_eq!(error("a: !!map [x]\n"), "1:4 the tag does not fit this value");
}

#[test]
fn a_key_that_is_there_twice_shows_both_places() {
    let (sources, documents, problems) = parts("s:\n  a: 1\n  b: 2\n  a: 3\n  b: 4\n");
    assert!(documents.is_none());
    let found: Vec<_> = problems
        .iter()
        .map(|problem| {
            let line = |span| sources.position(span).unwrap().1;
            (
                problem.path.as_str(),
                line(problem.span.unwrap()),
                line(problem.related[0].0),
            )
        })
        .collect();
    assert_eq!(found, [("s", 4, 2), ("s", 5, 3)]);
}

#[test]
fn keys_are_text() {
    assert_eq!(
        error("a:\n  1: x\n  true: y\n"),
        "2:3 the key 1 is not text; 3:3 the key true is not text"
    );
    assert_eq!(error("a: {~: x}\n"), "1:5 a key is missing before this `:`");
    assert_eq!(error("? [a]\n: b\n"), "1:3 a list or mapping cannot be a key");
    assert_eq!(one("'1': x\nyes: y\n"), "{1: x, yes: y}");
}

#[test]
fn reading_stops_after_a_hundred_bad_keys() {
    let (_, _, problems) = parts(&"1: x\n".repeat(10_000));
    assert_eq!(problems.iter().count(), 100);
}

#[test]
fn syntax_errors_say_where_and_in_plain_words() {
    assert_eq!(
        error("a: [1, 2\nb: 3\n"),
        "2:2 a key cannot stand here: a `[` or `{` before it is still open"
    );
    assert_eq!(error("a: \"x\nb: 3\n"), "1:4 this quote is never closed");
    assert_eq!(error("a:\n\t- b\n"), "2:2 a tab cannot indent a line");
    assert!(error("a: b\n c: d\n").starts_with("2:3 a `: ` cannot stand here"));
    assert_eq!(error("a: *b\n"), "1:4 this alias names an anchor that is not there");
    assert_eq!(error("a: &b [*b]\n"), "1:8 this alias stands inside what it names");
    assert_eq!(error("a: @x\n"), "1:4 text without quotes cannot begin with '@'");
    assert_eq!(error("a:\n  b: 1\n c: 2\n").split(' ').next(), Some("3:2"));
}

#[test]
fn bytes_that_are_no_text_are_refused_at_their_place() {
    assert_eq!(decode(b"\xEF\xBB\xBFa: 1\r\n"), Ok("a: 1\r\n".to_owned()));
    assert_eq!(one("a: 1\r\nb:\r\n  - c\r\n"), "{a: 1, b: [c]}");
    let error = decode(b"a: 1\nb: \xFF\n").unwrap_err();
    assert_eq!((error.offset, error.message.contains("0xff")), (8, true));
    let error = decode(b"a: \0\n").unwrap_err();
    assert_eq!((error.offset, error.message.contains("U+0000")), (3, true));
    assert!(decode(b"\xFF\xFEa\0").unwrap_err().message.contains("UTF-16"));
}

#[test]
fn an_alias_bomb_is_defused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = level - 1;
        let aliases = vec![format!("*a{below}"); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    assert!(error(&bomb).contains("too large"));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(5_000));
    assert!(error(&long).contains("too large"));
    let nested = format!("a: {}{}\n", "&a [".repeat(60), "x, ".repeat(40_000));
    assert!(!error(&nested).is_empty());
}

#[test]
fn depth_has_an_end_whatever_it_is_made_of() {
    for deep in [
        format!("a: {}", "[".repeat(100_000)),
        format!("a: {}", "{a: ".repeat(100_000)),
        "- ".repeat(100_000),
        (0..2_000).fold(String::new(), |text, level| text + &" ".repeat(level) + "a:\n"),
    ] {
        assert!(error(&deep).contains("deep"), "{}", error(&deep));
    }
    assert!(error(&"? ".repeat(100_000)).contains("cannot be a key"));
    let mut chain = format!("a0: &a0 {}x{}\n", "[".repeat(40), "]".repeat(40));
    for level in 1..10 {
        writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(read(&chain).is_ok());
    writeln!(chain, "b: {}*a9{}", "[".repeat(20), "]".repeat(20)).unwrap();
    assert!(error(&chain).contains("deep"));
}

/// Text that looks like YAML more often than chance would have it.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a",
        "b: ",
        "- ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a",
        "<<: ",
        "!reset ",
        "!!str ",
        "'",
        "\"",
        "| \n",
        ">-\n",
        "#",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "\\",
        "ü",
        "\r\n",
        "~",
        "1",
        "\u{FEFF}",
        "@",
        "`",
    ]);
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        match decode(&bytes) {
            Ok(text) => drop(parts(&text)),
            Err(error) => prop_assert!(error.shown.is_char_boundary(error.offset)),
        }
    }

    #[test]
    fn whatever_looks_like_yaml_is_read_or_refused_with_a_place(text in nearly_yaml()) {
        let (sources, documents, problems) = parts(&text);
        for problem in problems.iter() {
            let span = problem.span.expect("every problem of a file has a place");
            prop_assert!(text.is_char_boundary(span.start as usize), "{problem:?}");
            prop_assert!(span.end as usize <= text.len() && span.start <= span.end);
            prop_assert!(sources.position(span).is_some());
        }
        prop_assert_eq!(documents.is_none(), problems.has_errors());
    }
}
