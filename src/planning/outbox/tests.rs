//! What is told when.

use proptest::prelude::*;

use super::*;

fn letter(stack: &str, kind: NoticeKind, cause: &str) -> Letter {
    Letter {
        stack: stack.into(),
        notice: Notice {
            kind,
            object: "service/web".to_owned(),
            cause: cause.to_owned(),
            message: format!("{cause}: it is so"),
        },
        generation: Generation::new("sha256:1"),
        commit: None,
        time: EngineTime::default(),
    }
}

fn bad(cause: &str) -> Letter {
    letter("web", NoticeKind::Degraded, cause)
}

fn at(seconds: u64) -> Moment {
    Moment(Duration::from_secs(seconds))
}

/// Sends everything that is due now, and has it arrive.
fn sent(outbox: &mut Outbox, now: Moment) -> Vec<Parcel> {
    let mut sent = Vec::new();
    while let Due::Now(parcel) = outbox.due(now) {
        outbox.arrived();
        sent.push(*parcel);
    }
    sent
}

fn causes(parcels: &[Parcel]) -> Vec<&str> {
    parcels.iter().map(|it| it.letter.notice.cause.as_str()).collect()
}

#[test]
fn the_same_is_told_once_an_hour_and_again_once_all_was_well() {
    let mut outbox = Outbox::default();
    let put = |outbox: &mut Outbox, letter, second| {
        outbox.put(letter, at(second));
        sent(outbox, at(second)).len()
    };
    assert_eq!(put(&mut outbox, bad("A"), 0), 1);
    assert_eq!(put(&mut outbox, bad("A"), 3599), 0);
    assert_eq!(put(&mut outbox, bad("B"), 3599), 1);
    assert_eq!(put(&mut outbox, letter("db", NoticeKind::Degraded, "A"), 3599), 1);
    assert_eq!(put(&mut outbox, bad("A"), 3600), 1);
    assert_eq!(put(&mut outbox, letter("db", NoticeKind::Recovered, ""), 3700), 1);
    assert_eq!(put(&mut outbox, bad("A"), 3700), 0);
    assert_eq!(put(&mut outbox, letter("web", NoticeKind::Recovered, ""), 3800), 1);
    assert_eq!(put(&mut outbox, bad("A"), 3800), 1);
    assert_eq!(put(&mut outbox, letter("web", NoticeKind::Recovered, ""), 3900), 1);
}

#[test]
fn what_has_to_wait_goes_as_one_and_the_last_of_the_worst_stands_for_all() {
    let mut outbox = Outbox::default();
    for cause in ["A", "B", "C", "D", "E", "F", "G"] {
        outbox.put(bad(cause), at(0));
    }
    outbox.put(letter("web", NoticeKind::Drift, "H"), at(0));
    assert_eq!(causes(&sent(&mut outbox, at(0))), ["A", "B", "C", "D", "E"]);
    assert_eq!(outbox.due(at(0)), Due::At(at(10)));
    let last = sent(&mut outbox, at(10));
    assert_eq!(causes(&last), ["G"]);
    assert_eq!((last[0].more, last[0].lost), (2, 0));
    assert_eq!(outbox.due(at(10)), Due::Nothing);
    outbox.put(bad("I"), at(100));
    assert_eq!(sent(&mut outbox, at(100))[0].more, 0);
}

#[test]
fn what_does_not_arrive_is_sent_five_times_and_then_counted() {
    let mut outbox = Outbox::default();
    outbox.put(bad("A"), at(0));
    let (mut now, mut times) = (at(0), 0);
    loop {
        match outbox.due(now) {
            Due::Now(_) => {
                times += 1;
                // The first failure is news, the others are not.
                assert_eq!(outbox.failed(false, now), times == 1);
            }
            Due::At(moment) => now = moment,
            Due::Nothing => break,
        }
    }
    assert_eq!(times, 5);
    let waited = now.0.as_secs();
    assert!((24..=36).contains(&waited), "2, 4, 8 and 16 s, more or less: {waited}");
    outbox.put(bad("B"), now);
    let Due::Now(parcel) = outbox.due(now) else { panic!("nothing is due") };
    assert_eq!((parcel.letter.notice.cause.as_str(), parcel.lost), ("B", 1));
    assert!(outbox.arrived() && !outbox.arrived());
}

#[test]
fn what_is_refused_for_good_is_not_sent_again() {
    let mut outbox = Outbox::default();
    outbox.put(bad("A"), at(0));
    assert!(matches!(outbox.due(at(0)), Due::Now(_)));
    assert!(outbox.failed(true, at(0)));
    assert_eq!(outbox.due(at(0)), Due::Nothing);
}

#[test]
fn of_too_many_the_oldest_are_lost_and_counted() {
    let mut outbox = Outbox::default();
    for number in 0..100 {
        outbox.put(bad(&number.to_string()), at(0));
    }
    let first = sent(&mut outbox, at(0)).remove(0);
    assert_eq!((first.letter.notice.cause.as_str(), first.lost), ("36", 36));
}

#[test]
fn at_the_end_all_that_waits_goes_as_one_and_only_once() {
    let mut outbox = Outbox::default();
    for number in 0..9 {
        outbox.put(bad(&number.to_string()), at(0));
    }
    sent(&mut outbox, at(0));
    outbox.close();
    assert!(!outbox.is_closed());
    let Due::Now(parcel) = outbox.due(at(0)) else { panic!("nothing is due") };
    assert_eq!(parcel.more, 3);
    outbox.failed(false, at(0));
    assert!(outbox.is_closed());
}

proptest! {
    #[test]
    fn nobody_is_told_more_often_than_the_rate_and_nothing_is_lost_uncounted(
        puts in proptest::collection::vec((0_u64..4, 0_u8..40, any::<bool>()), 1..200),
    ) {
        let mut outbox = Outbox::default();
        let (mut second, mut times) = (0, Vec::new());
        let (mut put, mut told) = (0, 0);
        for (gap, cause, is_good) in puts {
            second += gap;
            let kind = if is_good { NoticeKind::Recovered } else { NoticeKind::Failed };
            let before = outbox.waiting.len() as u64 + outbox.lost;
            outbox.put(letter("web", kind, &cause.to_string()), at(second));
            put += outbox.waiting.len() as u64 + outbox.lost - before;
            for parcel in sent(&mut outbox, at(second)) {
                told += 1 + parcel.more + parcel.lost;
                times.push(second);
            }
        }
        prop_assert_eq!(put, told + outbox.waiting.len() as u64 + outbox.lost);
        for (first, begin) in times.iter().enumerate() {
            for (last, end) in times.iter().enumerate().skip(first) {
                let most = 5 + (end - begin) / 10;
                prop_assert!((last - first + 1) as u64 <= most);
            }
        }
    }
}
