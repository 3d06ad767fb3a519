//! What the answers to the questions of a check mean.

use std::time::Duration;

use super::measure::{self, Measured};
use super::question::{Question, What};
use super::{CheckResult, Finding, Prepared, Verdict, advice};
use crate::state::ask::{Answer, Ask, Found, Trouble, TroubleKind};
use crate::state::check::{Check, CheckKind, Severity};
use crate::state::time::EngineTime;

/// How many objects are named in one line.
const NAMED: usize = 4;

/// Returns the result of a check. Answers are in the order of its questions; none is needed
/// for a question whose answer is known.
pub(super) fn result(
    prepared: &Prepared,
    answers: Vec<Option<Answer>>,
    (time, took): (EngineTime, Duration),
) -> CheckResult {
    let Prepared { name, check, questions } = prepared;
    let mut answers = answers.into_iter();
    let answered = questions.iter().map(|question| {
        let given = answers.next().flatten();
        let answer = match &question.what {
            What::Known { answer, .. } => answer.clone(),
            What::Ask(_) => given.unwrap_or_else(|| {
                Err(Trouble::new(TroubleKind::Unknown, "it was not asked"))
            }),
        };
        (question, answer)
    });
    let mut judged = judged(check, answered.collect());
    judged.sort_by(|a, b| a.0.cmp(&b.0));
    let verdict = judged.iter().map(|(it, _)| it.verdict).max();
    let verdict = verdict.unwrap_or(Verdict::Unknown);
    // Several objects may need the same.
    let mut next: Vec<String> = Vec::new();
    for advice in judged.iter().filter_map(|(_, next)| next.clone()) {
        if !next.contains(&advice) {
            next.push(advice);
        }
    }
    next.truncate(NAMED);
    let findings: Vec<Finding> = judged.into_iter().map(|(finding, _)| finding).collect();
    CheckResult {
        name: name.clone(),
        kind: check.kind.key().to_owned(),
        verdict,
        found: found(&findings, verdict),
        next: (!next.is_empty()).then(|| next.join("; ")),
        findings,
        time,
        took,
    }
}

type Judged = Vec<(Finding, Option<String>)>;

fn judged(check: &Check, answered: Vec<(&Question, Answer)>) -> Judged {
    let mut judged = Judged::new();
    let mut disks = Vec::new();
    for (question, answer) in answered {
        match answer {
            Ok(Found::Well(said)) => {
                let object = question.object.clone();
                judged.push((Finding { object, verdict: Verdict::Pass, said }, None));
            }
            Ok(Found::Disk(disk)) => disks.push((question, disk)),
            Ok(Found::Memory(used)) => {
                let (limit, below) = (limit(question), below(&check.kind));
                let measured = measure::memory(question, used, limit, below);
                judged.push(weighed(check, measured));
            }
            Ok(Found::Age(age)) => {
                let measured = measure::age(question, age, oldest(&check.kind));
                judged.push(weighed(check, measured));
            }
            Err(trouble) => judged.push(troubled(check, question, trouble)),
        }
    }
    let disks = measure::disks(&disks, below(&check.kind));
    judged.extend(disks.into_iter().map(|it| weighed(check, it)));
    judged
}

fn weighed(check: &Check, measured: Measured) -> (Finding, Option<String>) {
    let Measured { object, is_good, said, next } = measured;
    let verdict = if is_good { Verdict::Pass } else { bad(check.severity) };
    (Finding { object, verdict, said }, next)
}

fn troubled(
    check: &Check,
    question: &Question,
    trouble: Trouble,
) -> (Finding, Option<String>) {
    let verdict = match trouble.kind {
        TroubleKind::Unknown => Verdict::Unknown,
        TroubleKind::Unreachable
        | TroubleKind::Silent
        | TroubleKind::Denied
        | TroubleKind::Unwell => bad(check.severity),
    };
    let next = match &question.what {
        What::Known { next: Some(next), .. } => Some(next.clone()),
        What::Known { next: None, .. } | What::Ask(_) => {
            advice::of(&check.kind, question, &trouble)
        }
    };
    // What cannot be reached is said with its address, which may be the object.
    let object = question.object.clone();
    let said = trouble.said.strip_prefix(&format!("{object}: "));
    let said = said.map(str::to_owned).unwrap_or(trouble.said);
    (Finding { object, verdict, said }, next)
}

const fn bad(severity: Severity) -> Verdict {
    match severity {
        Severity::Warn => Verdict::Warn,
        Severity::Fail => Verdict::Fail,
    }
}

/// Returns the limit that a container was asked about.
const fn limit(question: &Question) -> u64 {
    match &question.what {
        What::Ask(Ask::Memory { limit, .. }) => *limit,
        What::Ask(
            Ask::Http { .. }
            | Ask::Tcp { .. }
            | Ask::Grpc { .. }
            | Ask::EtcdAlarms { .. }
            | Ask::S3 { .. }
            | Ask::Disk { .. }
            | Ask::Exec { .. },
        )
        | What::Known { .. } => 0,
    }
}

/// Returns the threshold of what is measured in percent.
const fn below(kind: &CheckKind) -> u8 {
    match kind {
        CheckKind::Disk { below, .. } | CheckKind::Memory { below, .. } => *below,
        CheckKind::Containers { .. }
        | CheckKind::Http { .. }
        | CheckKind::Tcp { .. }
        | CheckKind::Grpc { .. }
        | CheckKind::EtcdAlarms { .. }
        | CheckKind::S3(_)
        | CheckKind::ImageAge { .. }
        | CheckKind::Exec { .. } => 100,
    }
}

const fn oldest(kind: &CheckKind) -> Duration {
    match kind {
        CheckKind::ImageAge { below } => *below,
        CheckKind::Containers { .. }
        | CheckKind::Http { .. }
        | CheckKind::Tcp { .. }
        | CheckKind::Grpc { .. }
        | CheckKind::EtcdAlarms { .. }
        | CheckKind::S3(_)
        | CheckKind::Disk { .. }
        | CheckKind::Memory { .. }
        | CheckKind::Exec { .. } => Duration::MAX,
    }
}

/// Says in one line what was found: what is worst, with the objects that are so; of what is
/// well, how many are.
fn found(findings: &[Finding], verdict: Verdict) -> String {
    let said = |it: &Finding| format!("{}: {}", it.object, it.said);
    if verdict == Verdict::Pass
        && let [first, others @ ..] = findings
        && others.iter().any(|it| it.said == first.said)
        && others.iter().all(|it| it.said == first.said)
    {
        return format!("{} objects: {}", findings.len(), first.said);
    }
    let worst = || findings.iter().filter(|it| it.verdict == verdict);
    let mut texts: Vec<String> = worst().take(NAMED).map(said).collect();
    if let more @ 1.. = worst().count().saturating_sub(NAMED) {
        texts.push(format!("and {more} more"));
    }
    texts.join("; ")
}
