//! What `git`, curl and ssh complain of, in their own words, and what it means.

use crate::state::secret::{CONCEALED, Secret};

/// What a complaint of a call to a server is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The token or the key is not accepted, or there is none.
    Denied(&'static str),
    /// The server or the way to it.
    Unreachable,
    /// The branch or tag.
    NoReference,
    /// The disk.
    DiskFull,
    /// More than may be fetched.
    TooLarge,
    /// An object that git does not take.
    BadObject,
    /// Nothing that is known: the cache may be at fault.
    Unknown,
}

const TOKEN: &str = "give another token with --git-token-file: it may be wrong, expired, or not allowed to read this repository";
const KEY: &str = "give another key with --git-ssh-key (without a passphrase), or let the server know this one";
const HOST_KEY: &str = "compare the server's key with what its owner publishes, then put it in the file of --git-known-hosts (`ssh-keyscan HOST`)";
const PLACE: &str =
    "the address is wrong, or who we are may not read it (servers do not say which)";
const MOVED: &str = "the server leads elsewhere, where a token is not carried: give the final address (often the same with `.git` at its end)";

/// What is looked for, in this order: the cause comes before what follows from it.
const KNOWN: &[(&str, Meaning)] = &[
    ("no space left on device", Meaning::DiskFull),
    ("disk quota exceeded", Meaning::DiskFull),
    ("died of signal 25", Meaning::TooLarge),
    ("file too large", Meaning::TooLarge),
    ("couldn't find remote ref", Meaning::NoReference),
    ("host key verification failed", Meaning::Denied(HOST_KEY)),
    ("permission denied (", Meaning::Denied(KEY)),
    ("too many authentication failures", Meaning::Denied(KEY)),
    ("authentication failed", Meaning::Denied(TOKEN)),
    ("could not read username", Meaning::Denied(TOKEN)),
    ("could not read password", Meaning::Denied(TOKEN)),
    ("unable to get password", Meaning::Denied(TOKEN)),
    ("returned error: 401", Meaning::Denied(TOKEN)),
    ("returned error: 403", Meaning::Denied(TOKEN)),
    ("returned error: 30", Meaning::Denied(MOVED)),
    ("redirect", Meaning::Denied(MOVED)),
    ("repository not found", Meaning::Denied(PLACE)),
    ("' not found", Meaning::Denied(PLACE)),
    ("does not appear to be a git repository", Meaning::Denied(PLACE)),
    ("returned error: 404", Meaning::Denied(PLACE)),
    ("unable to access", Meaning::Unreachable),
    ("could not resolve", Meaning::Unreachable),
    ("connection refused", Meaning::Unreachable),
    ("connection reset", Meaning::Unreachable),
    ("connection timed out", Meaning::Unreachable),
    ("connection closed", Meaning::Unreachable),
    ("network is unreachable", Meaning::Unreachable),
    ("no route to host", Meaning::Unreachable),
    ("rpc failed", Meaning::Unreachable),
    ("early eof", Meaning::Unreachable),
    ("unexpected disconnect", Meaning::Unreachable),
    ("hung up", Meaning::Unreachable),
    ("operation too slow", Meaning::Unreachable),
    ("could not read from remote repository", Meaning::Unreachable),
    ("the remote end", Meaning::Unreachable),
    ("internal server error", Meaning::Unreachable),
    ("fsck error", Meaning::BadObject),
    ("error in object", Meaning::BadObject),
];

/// How much of a line people are shown.
const LONGEST_LINE: usize = 300;

/// Tells what a program's complaints mean.
pub(super) fn meaning(complaints: &str) -> Meaning {
    let lower = complaints.to_ascii_lowercase();
    let known = KNOWN.iter().find(|(text, _)| lower.contains(text));
    known.map_or(Meaning::Unknown, |(_, meaning)| *meaning)
}

/// Returns the line that says most, without anything that a terminal would obey.
///
/// What the server says (`remote:`) comes first, then what ended the call. A server could
/// repeat the token that it was shown: it is taken out.
pub(super) fn line(complaints: &str, token: Option<&Secret>) -> String {
    let complaints = match token {
        Some(token) => complaints.replace(token.expose(), CONCEALED),
        None => complaints.to_owned(),
    };
    let lines: Vec<String> = complaints
        .lines()
        .map(|line| {
            line.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
        })
        .map(|line: String| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let with = |prefix: &str| {
        lines.iter().find_map(|line| line.strip_prefix(prefix)).map(str::trim)
    };
    let said = with("remote:").filter(|line| !line.is_empty());
    let ended = with("fatal:").filter(|line| !is_a_consequence(line));
    let cause = ended
        .or_else(|| with("error:"))
        .or_else(|| {
            let cause = lines.iter().find(|line| !is_a_consequence(line));
            cause.or(lines.last()).map(String::as_str)
        })
        .unwrap_or("it does not say why");
    let line = match said {
        Some(said) => format!("{cause} (the server says: {said})"),
        None => cause.to_owned(),
    };
    short(line)
}

/// Returns all lines as one.
pub(super) fn all(complaints: &str) -> String {
    short(lines(complaints).join("; "))
}

/// Returns the lines that hold something, without anything that a terminal would obey.
fn lines(complaints: &str) -> Vec<String> {
    let plain = |it: char| if it.is_control() { ' ' } else { it };
    complaints
        .lines()
        .map(|line| line.chars().map(plain).collect::<String>().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn short(line: String) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or("")),
        None => line,
    }
}

/// Tells whether a line says only that something before it went wrong.
fn is_a_consequence(line: &str) -> bool {
    let noise = [
        "Could not read from remote repository",
        "Please make sure you have",
        "and the repository exists",
        "the remote end hung up",
        "early EOF",
        "fatal: ",
        "@@@@",
        "@    WARNING",
        "Warning: Permanently",
        "index-pack failed",
        "fetch-pack: invalid index-pack output",
    ];
    noise.iter().any(|noise| line.contains(noise))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_of_servers_have_a_meaning_and_one_line_that_says_it() {
        for (complaints, expected_meaning, expected) in [
            (
                "fatal: unable to access 'https://example.com/x/': Could not resolve host: example.com\n",
                Meaning::Unreachable,
                "unable to access 'https://example.com/x/': Could not resolve host: example.com",
            ),
            (
                "remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://example.com/x/'\n",
                Meaning::Denied(TOKEN),
                "Authentication failed for 'https://example.com/x/' (the server says: HTTP Basic: Access denied)",
            ),
            (
                "No ED25519 host key is known for example.com and you have requested strict checking.\r\nHost key verification failed.\r\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
                Meaning::Denied(HOST_KEY),
                "No ED25519 host key is known for example.com and you have requested strict checking.",
            ),
            (
                "git@example.com: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n",
                Meaning::Denied(KEY),
                "git@example.com: Permission denied (publickey).",
            ),
            (
                "fatal: couldn't find remote ref refs/heads/gone\n",
                Meaning::NoReference,
                "couldn't find remote ref refs/heads/gone",
            ),
            (
                "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nerror: 2893 bytes of body are still expected\nfetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n",
                Meaning::Unreachable,
                "RPC failed; curl 18 transfer closed with outstanding read data remaining",
            ),
            ("", Meaning::Unknown, "it does not say why"),
        ] {
            assert_eq!(meaning(complaints), expected_meaning, "{complaints}");
            assert_eq!(line(complaints, None), expected);
        }
    }

    #[test]
    fn neither_a_token_nor_a_command_to_the_terminal_gets_out() {
        let token = Secret::new("hunter2");
        let said = line("remote: you are \u{1b}[31mhunter2\nfatal: no\n", Some(&token));
        assert_eq!(said, "no (the server says: you are  [31m(sensitive))");
        assert!(line(&"x".repeat(10_000), None).chars().count() <= LONGEST_LINE + 1);
    }
}
