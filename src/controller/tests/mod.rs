//! Events in, responses out: no I/O, and time is a value.

mod dry_run;
mod follow;
mod sight;

use super::*;
use crate::engine::sim::World;
use crate::planning::change::Action;
use crate::planning::testing::{Named, desired};
use crate::state::observed::Status;
use crate::state::step::{Failure, FailureKind};

const ONE: &str = "services: {web: {image: 'x:1'}}";
const TWO: &str = "services: {web: {image: 'x:2'}}";

/// A controller before an engine in memory; looks and steps are taken by hand.
struct Bench {
    machine: World,
    controller: Controller,
    /// What was asked for and is yet to be done.
    steps: Vec<(Object, Step)>,
    last: Option<Found>,
}

impl Bench {
    fn new(yaml: &str) -> Self {
        let controller =
            Controller::new(wanted(yaml), Allowed::default(), Memory::default());
        Self { machine: World::default(), controller, steps: Vec::new(), last: None }
    }

    /// A stack that is as wanted and ready.
    fn settled(yaml: &str) -> Self {
        let mut bench = Self::new(yaml);
        bench.settle();
        bench
    }

    fn now(&self) -> Now {
        self.machine.now()
    }

    fn handle(&mut self, event: Event) {
        let now = self.now();
        self.controller.handle(event, now);
    }

    fn respond(&mut self) -> Response {
        let now = self.now();
        let response = self.controller.respond(now);
        self.steps.extend(response.steps.iter().cloned());
        if let Some(found) = &response.found {
            self.last = Some(found.clone());
        }
        response
    }

    fn tell(&mut self, event: Event) -> Response {
        self.handle(event);
        self.respond()
    }

    /// Lets the look that is under way end.
    fn see(&mut self) -> Response {
        assert!(self.controller.looking.is_some(), "no look is under way");
        let observed = self.machine.observe(&self.controller.wanted.desired);
        self.tell(Event::Seen(observed))
    }

    /// Takes a step that was asked for.
    fn perform(&mut self, index: usize) -> Response {
        let (object, step) = self.steps.remove(index);
        let result = self.machine.perform(&step);
        self.tell(Event::Ended(Outcome { object, step, result }))
    }

    /// Takes every look and every step until nothing is left to do.
    fn settle(&mut self) -> Found {
        self.respond();
        for _ in 0..300 {
            if self.controller.looking.is_some() {
                self.see();
            } else if !self.steps.is_empty() {
                self.perform(0);
            } else if let Some(found) = self.last.clone()
                && (found.status.ready || !found.plan.is_moving)
            {
                return found;
            } else {
                self.machine.advance(Duration::from_secs(1));
                self.respond();
            }
        }
        panic!("it never settles: {:#?}", self.last);
    }

    /// The steps for services that are to be taken.
    fn for_services(&self) -> Vec<Step> {
        let steps = self.steps.iter();
        let of_service = steps.filter(|(object, _)| matches!(object, Object::Service(_)));
        of_service.map(|(_, step)| step.clone()).collect()
    }

    fn woken(&mut self, name: &str, action: &str) -> Response {
        let id = self.machine.named(name).id.clone();
        self.tell(Event::Woken(Wakeup::Container { id, action: action.to_owned() }))
    }
}

fn wanted(yaml: &str) -> Wanted {
    Wanted::new(desired(yaml))
}

fn relist() -> Event {
    Event::Woken(Wakeup::Relist { reason: "the stream was cut".to_owned() })
}

#[test]
fn nothing_is_done_before_everything_was_looked_at() {
    let mut bench = Bench::new(ONE);
    let first = bench.respond();
    assert!(first.look.is_some_and(|look| look.since.is_none()));
    assert!(first.steps.is_empty());
    let seen = bench.see();
    assert!(!seen.steps.is_empty());
    assert!(seen.found.is_some());
}

#[test]
fn what_happens_during_a_look_leads_to_one_more_look() {
    let mut bench = Bench::settled(ONE);
    bench.machine.crash("demo-web-1", 1);
    assert!(bench.woken("demo-web-1", "die").look.is_some());
    for _ in 0..3 {
        let response = bench.woken("demo-web-1", "die");
        assert!(response.look.is_none(), "a look is under way");
    }
    assert!(bench.see().look.is_some(), "one more");
    assert!(bench.see().look.is_none(), "and no other");
}

#[test]
fn only_what_something_happened_to_is_inspected_anew() {
    let mut bench = Bench::settled(ONE);
    let id = bench.machine.named("demo-web-1").id.clone();
    let look = bench.woken("demo-web-1", "update").look.unwrap();
    let (_, touched) = look.since.expect("no look at everything");
    assert_eq!(touched, BTreeSet::from([id]));
}

#[test]
fn a_look_from_before_a_new_wish_decides_nothing() {
    let mut bench = Bench::new(ONE);
    assert!(bench.respond().look.is_some());
    let told = bench.tell(Event::Wanted(wanted(TWO).into()));
    assert!(told.abandon_waits, "the pull of the old image is given up");
    let seen = bench.see();
    assert!(seen.steps.is_empty() && seen.found.is_none());
    let look = seen.look.expect("another look");
    assert!(look.scope.images.contains("x:2"));
    bench.see();
    let steps = bench.for_services();
    assert!(matches!(&steps[..], [Step::Pull { image, .. }] if image.as_str() == "x:2"));
}

#[test]
fn being_told_the_same_again_means_to_look_at_everything_and_gives_nothing_up() {
    let mut bench = Bench::settled(ONE);
    let told = bench.tell(Event::Wanted(wanted(ONE).into()));
    assert!(!told.abandon_waits);
    assert!(told.look.is_some_and(|look| look.since.is_none()));
    assert!(bench.see().steps.is_empty());
}

#[test]
fn an_object_has_one_step_at_a_time_until_a_look_has_seen_its_end() {
    let mut bench = Bench::new(ONE);
    bench.respond();
    bench.see();
    let pull = bench.steps.len() - 1;
    let object = bench.steps[pull].0.clone();
    let is_meant = |response: &Response| response.steps.iter().any(|it| it.0 == object);
    // Something else happens while the step is under way.
    assert!(bench.tell(relist()).look.is_some());
    assert!(!is_meant(&bench.see()));
    // It ends during a look that cannot have seen that.
    assert!(bench.tell(relist()).look.is_some());
    let early = bench.machine.observe(&bench.controller.wanted.desired);
    bench.perform(pull);
    let seen = bench.tell(Event::Seen(early));
    assert!(!is_meant(&seen) && seen.look.is_some());
    bench.see();
    assert!(!bench.controller.memory.under_way.contains_key(&object));
}

#[test]
fn a_failed_look_decides_nothing_and_is_tried_again_later_and_later() {
    let mut bench = Bench::settled(ONE);
    let id = bench.machine.named("demo-web-1").id.clone();
    bench.machine.containers.remove(&id);
    bench.tell(relist());
    let mut waits = Vec::new();
    for _ in 0..4 {
        let response = bench.tell(Event::Blind);
        assert!(response.steps.is_empty() && response.look.is_none());
        let wake = bench.controller.wake().unwrap();
        let wait = wake.since(bench.now().moment);
        waits.push(wait);
        bench.machine.advance(wait);
        assert!(bench.respond().look.is_some());
    }
    assert!(waits.is_sorted() && waits[0] < waits[3], "{waits:?}");
    assert!(!bench.see().steps.is_empty(), "the container is made again");
    assert_eq!(bench.controller.failures(), 0);
}

#[test]
fn what_a_failed_look_was_to_account_for_is_not_forgotten() {
    let mut bench = Bench::new(ONE);
    bench.respond();
    bench.see();
    while !bench.steps.is_empty() {
        bench.perform(0);
    }
    bench.tell(Event::Blind);
    assert!(!bench.controller.memory.under_way.is_empty());
    bench.machine.advance(Duration::from_mins(1));
    bench.respond();
    bench.see();
    assert!(!bench.for_services().is_empty(), "the service goes on");
    assert!(bench.settle().status.ready);
}

#[test]
fn lost_events_are_made_good_by_a_look_at_everything() {
    let mut bench = Bench::new(ONE);
    assert!(bench.tell(relist()).look.is_some_and(|look| look.since.is_none()));
    assert_eq!(bench.controller.memory.unwatched, None, "the first is no loss");
    bench.see();
    bench.settle();
    bench.tell(relist());
    assert!(bench.controller.memory.unwatched.is_some());
    assert!(bench.controller.looks_at_everything());
}

#[test]
fn what_ended_while_the_engine_could_not_be_looked_at_ended_with_it() {
    let mut bench = Bench::settled(
        "services: {web: {image: 'x:1', restart: 'no', x-reconciler: {job: false}}}",
    );
    bench.tell(relist());
    bench.tell(Event::Blind);
    bench.machine.advance(Duration::from_mins(1));
    bench.machine.end_by_hand("demo-web-1", 0);
    // The look may come before the events do.
    bench.respond();
    bench.see();
    assert!(matches!(bench.for_services()[..], [Step::Start { .. }]));
    assert!(bench.controller.memory.crashes.is_empty());
}

#[test]
fn what_ends_while_events_are_lost_is_no_crash_however_often_it_is_looked_at() {
    let mut bench = Bench::settled(ONE);
    let lost = Wakeup::Lost { reason: "the stream was cut".to_owned() };
    assert!(bench.tell(Event::Woken(lost)).look.is_none(), "a relist will come");
    for _ in 0..2 {
        bench.machine.advance(Duration::from_secs(1));
        bench.machine.crash("demo-web-1", 137);
        bench.woken("demo-web-1", "die");
        bench.see();
        assert!(bench.controller.memory.crashes.is_empty());
        assert!(bench.controller.memory.unwatched.is_some(), "more may end");
        bench.settle();
    }
    bench.tell(relist());
    bench.see();
    assert_eq!(bench.controller.memory.unwatched, None);
    assert!(bench.controller.memory.crashes.is_empty());
}

#[test]
fn everything_is_looked_at_every_minute_although_nothing_happens() {
    let mut bench = Bench::settled(ONE);
    let wake = bench.controller.wake().unwrap();
    assert_eq!(wake.since(bench.controller.looked_at), RESYNC_READY);
    bench.machine.advance(wake.since(bench.now().moment));
    assert!(bench.respond().look.is_some_and(|look| look.since.is_none()));
}

#[test]
fn what_others_make_on_the_same_engine_wakes_nobody_and_what_is_wanted_does() {
    let mut bench = Bench::settled(
        "services: {web: {image: 'x:1', volumes: ['data:/d']}}\nvolumes: {data: {}}",
    );
    let other = |name: &str| {
        let (action, name) = ("create".to_owned(), Some(name.to_owned()));
        Event::Woken(Wakeup::Other { action, name })
    };
    assert!(bench.tell(other("elsewhere_default")).look.is_none());
    for name in ["demo_default", "demo_data"] {
        bench.settle();
        assert!(bench.tell(other(name)).look.is_some(), "{name}");
        bench.see();
    }
    let image = Wakeup::Other { action: "image tag x:1".to_owned(), name: None };
    assert!(bench.tell(Event::Woken(image)).look.is_some());
}

#[test]
fn what_our_own_steps_do_wakes_nobody() {
    let mut bench = Bench::settled(ONE);
    bench.machine.crash("demo-web-1", 1);
    bench.woken("demo-web-1", "die");
    bench.see();
    assert!(matches!(bench.for_services()[..], [Step::Start { .. }]));
    assert!(bench.woken("demo-web-1", "start").look.is_none());
    assert!(bench.perform(0).look.is_some(), "its end does");
}

#[test]
fn what_somebody_stops_is_no_crash_and_is_started_at_once() {
    let mut bench = Bench::settled(ONE);
    for _ in 0..5 {
        bench.machine.crash("demo-web-1", 137);
        bench.handle_all(&[
            ("kill", "demo-web-1"),
            ("die", "demo-web-1"),
            ("stop", "demo-web-1"),
        ]);
        bench.respond();
        bench.see();
        assert!(matches!(bench.for_services()[..], [Step::Start { .. }]), "at once");
        assert_eq!(bench.controller.memory.crashes.len(), 0);
        bench.settle();
    }
}

impl Bench {
    fn handle_all(&mut self, events: &[(&str, &str)]) {
        for (action, name) in events {
            let id = self.machine.named(name).id.clone();
            let action = (*action).to_owned();
            self.handle(Event::Woken(Wakeup::Container { id, action }));
        }
    }
}

#[test]
fn a_stack_that_is_taken_down_stays_down_until_something_else_is_wanted() {
    let mut bench = Bench::settled(ONE);
    bench.tell(Event::Asked(Ask::Delete));
    let found = bench.settle();
    assert!(bench.machine.containers.is_empty());
    assert!(!found.status.ready, "{:#?}", found.status);
    bench.tell(Event::Wanted(wanted(ONE).into()));
    bench.settle();
    assert!(bench.machine.containers.is_empty(), "the same file again is no new wish");
    bench.tell(Event::Wanted(wanted(TWO).into()));
    assert!(bench.settle().status.ready);
}

#[test]
fn a_stack_that_is_taken_down_comes_up_when_it_is_asked_for() {
    let mut bench = Bench::settled(ONE);
    bench.tell(Event::Asked(Ask::Delete));
    bench.settle();
    bench.tell(Event::Asked(Ask::Apply {
        allowed: Allowed::default(),
        accepted: [].into(),
    }));
    assert!(bench.settle().status.ready);
    assert_eq!(bench.machine.named("demo-web-1").state.status, Status::Running);
}

#[test]
fn what_is_asked_for_again_waits_for_no_backoff() {
    let mut bench = Bench::new(ONE);
    bench.respond();
    bench.see();
    let failure = Failure { kind: FailureKind::Failed, message: "no".to_owned() };
    for (object, step) in std::mem::take(&mut bench.steps) {
        let result = Err(failure.clone());
        bench.tell(Event::Ended(Outcome { object, step, result }));
    }
    bench.see();
    if bench.controller.looking.is_some() {
        bench.see();
    }
    assert!(bench.steps.is_empty(), "it backs off: {:?}", bench.steps);
    bench.tell(Event::Asked(Ask::Retry { service: Some("other".into()) }));
    bench.see();
    assert!(bench.steps.is_empty(), "another is meant: {:?}", bench.steps);
    bench.tell(Event::Asked(Ask::Retry { service: Some("web".into()) }));
    bench.see();
    assert_eq!(bench.for_services().len(), 1);
}

#[test]
fn an_apply_waits_for_no_backoff_and_does_not_hide_what_crashed() {
    let mut bench = Bench::settled(ONE);
    for _ in 0..2 {
        bench.settle();
        bench.machine.crash("demo-web-1", 1);
        bench.woken("demo-web-1", "die");
        bench.see();
    }
    let count = |bench: &Bench| {
        bench.controller.memory.crashes.values().map(|it| it.count).collect::<Vec<_>>()
    };
    assert_eq!(count(&bench), [2]);
    assert!(bench.for_services().is_empty(), "it backs off");
    bench.tell(Event::Asked(Ask::Apply {
        allowed: Allowed::default(),
        accepted: [].into(),
    }));
    bench.see();
    assert!(matches!(bench.for_services()[..], [Step::Start { .. }]), "at once");
    assert_eq!(count(&bench), [2]);
}

#[test]
fn more_than_half_of_a_stack_may_go_only_for_as_long_as_it_was_allowed() {
    let many = "services: {a: {image: 'x:1'}, b: {image: 'x:1'}, c: {image: 'x:1'}}";
    let one = "services: {a: {image: 'x:1'}}";
    let mut bench = Bench::settled(many);
    bench.tell(Event::Wanted(wanted(one).into()));
    bench.settle();
    assert_eq!(bench.machine.containers.len(), 3, "the guard holds");
    let allowed = Allowed { prune: true, ..Allowed::default() };
    bench.tell(Event::Asked(Ask::Apply { allowed, accepted: [].into() }));
    let found = bench.settle();
    assert!(found.plan.changes.iter().all(|it| it.action == Action::None));
    assert_eq!(bench.machine.containers.len(), 1);
    assert_eq!(bench.controller.allowed, Allowed::default());
}
