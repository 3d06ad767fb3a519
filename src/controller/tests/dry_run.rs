//! An operator that only looks.

use super::*;

const PROBED: &str = "services: {web: {image: 'x:1', x-reconciler: {probe: {tcp: 80}}}}";

/// A controller that only looks at a stack that somebody else keeps.
fn beside(other: &Bench) -> Bench {
    let allowed = Allowed { only_looks: true, ..Allowed::default() };
    let wanted = other.controller.wanted.clone();
    let controller = Controller::new(wanted, allowed, Memory::default());
    let machine = other.machine.clone();
    Bench { machine, controller, steps: Vec::new(), last: None }
}

#[test]
fn it_asks_no_service_whether_it_is_well() {
    let mut other = Bench::settled(PROBED);
    other.machine.advance(Duration::from_secs(60));
    assert!(other.respond().steps.iter().any(|(_, step)| step.is_probe()));
    let mut bench = beside(&other);
    let memory = other.controller.memory().clone();
    bench.respond();
    for _ in 0..5 {
        bench.handle(Event::Told(Box::new(memory.clone())));
        bench.see();
        bench.machine.advance(Duration::from_secs(60));
        bench.respond();
    }
    assert!(bench.steps.is_empty(), "{:#?}", bench.steps);
    let found = bench.last.expect("a pass");
    assert!(found.status.ready, "it is told how the service is: {:#?}", found.status);
}

#[test]
fn what_it_is_told_counts_but_for_what_is_under_way_and_for_its_own_conditions() {
    let mut other = Bench::settled(ONE);
    let mut bench = beside(&other);
    bench.respond();
    bench.see();
    let conditions = bench.controller.memory.conditions.clone();
    assert!(!conditions.is_empty());
    other.tell(Event::Wanted(wanted(TWO).into()));
    other.see();
    let theirs = other.controller.memory().clone();
    assert!(!theirs.under_way.is_empty() && theirs.generation.is_some());
    bench.handle(Event::Told(Box::new(theirs.clone())));
    let own = &bench.controller.memory;
    assert!(own.under_way.is_empty(), "its end would never be known");
    assert_eq!(own.generation, theirs.generation);
    assert_eq!(own.conditions, conditions);
}
