use super::{Field, at, create, document, engine, id, run, start, stop};
use crate::state::observed::Status;
use crate::state::step::{Done, Failure, FailureKind, Step};
use crate::state::value::Value;

#[track_caller]
fn refused(done: Result<Done, Failure>, kind: FailureKind, words: &str) {
    let failure = done.unwrap_err();
    assert_eq!(failure.kind, kind, "{failure:?}");
    assert!(failure.message.contains(words), "{failure:?}");
}

fn port(place: &str) -> Field {
    ("HostConfig.PortBindings", Value::map([("80/tcp", Value::texts([place]))]))
}

fn address(address: &str) -> Field {
    let config = Value::map([("IPv4Address", Value::text(address))]);
    let endpoint = Value::map([("IPAMConfig", config)]);
    ("NetworkingConfig.EndpointsConfig", Value::map([("net", endpoint)]))
}

#[test]
fn a_creation_is_refused_as_the_real_engine_does() {
    let mut world = engine();
    create(&mut world, "a", &[]).unwrap();
    let again = create(&mut world, "a", &[]);
    refused(again, FailureKind::Conflict, "already in use by container");
    let unknown = [("Config.Image", Value::text("y:1"))];
    refused(
        create(&mut world, "b", &unknown),
        FailureKind::NotFound,
        "No such image: y:1",
    );
    let cpus = [("HostConfig.NanoCpus", Value::text("64"))];
    refused(create(&mut world, "b", &cpus), FailureKind::Refused, "Range of CPUs");
    let label = [("Config.Labels", Value::map([("sim.exits", Value::text("x"))]))];
    refused(create(&mut world, "b", &label), FailureKind::Refused, "not an exit code");
    let pull = Step::Pull { image: "missing:1".into(), platform: None };
    refused(world.perform(&pull), FailureKind::NotFound, "manifest unknown");
}

#[test]
fn ports_and_addresses_are_taken_at_the_start_and_not_before() {
    for (one, other, words) in [
        (port(":80"), port("127.0.0.1:80"), "port is already allocated"),
        (address("10.0.0.9"), address("10.0.0.9"), "Address already in use"),
    ] {
        let mut world = engine();
        let first = run(&mut world, "a", &[one]);
        create(&mut world, "b", &[other]).unwrap();
        let second = id(&world, "b");
        refused(start(&mut world, &second), FailureKind::Conflict, words);
        let state = &at(&world, &second).state;
        assert_eq!((state.status, state.exit_code), (Status::Created, 128));
        assert!(state.error.contains(words));
        stop(&mut world, &first, 1);
        start(&mut world, &second).unwrap();
    }
}

#[test]
fn what_is_in_use_is_not_removed() {
    let mut world = engine();
    let id = run(&mut world, "a", &[]);
    let remove = Step::Remove { container: id.clone() };
    refused(world.perform(&remove), FailureKind::Conflict, "remove a running container");
    let network = world.networks["net"].id.clone();
    let remove = Step::RemoveNetwork { id: network };
    refused(world.perform(&remove), FailureKind::Conflict, "has active endpoints");
    world.pause("a");
    refused(start(&mut world, &id), FailureKind::Conflict, "try unpause instead");
}

#[test]
fn a_container_whose_network_was_made_again_does_not_start() {
    let mut world = engine();
    let id = run(&mut world, "a", &[]);
    stop(&mut world, &id, 1);
    world.make_network_again("net");
    refused(start(&mut world, &id), FailureKind::NotFound, "not found");
    assert_eq!(at(&world, &id).state.status, Status::Exited);
}

#[test]
fn limits_change_from_value_to_value_and_are_not_taken_away() {
    let mut world = engine();
    let cpus = ("HostConfig.NanoCpus", Value::text("1"));
    let memory = ("HostConfig.Memory", Value::Int(1 << 29));
    let swap = ("HostConfig.MemorySwap", Value::Int(1 << 29));
    let id = run(&mut world, "a", &[cpus, memory, swap]);
    let mut update = |fields: &[Field]| {
        let document = fields.iter().cloned().collect();
        let done = world.perform(&Step::Update { container: id.clone(), document });
        (done, at(&world, &id).document.get("HostConfig.NanoCpus").clone())
    };
    let (_, cpus) = update(&[("HostConfig.NanoCpus", Value::text("2"))]);
    assert_eq!(cpus, Value::text("2"));
    let (done, cpus) = update(&[("HostConfig.NanoCpus", Value::Int(0))]);
    assert_eq!((done, cpus), (Ok(Done::Done), Value::text("2")));
    let (done, _) = update(&[("HostConfig.Memory", Value::Int(1 << 30))]);
    refused(done, FailureKind::Conflict, "update the memoryswap at the same time");
}

#[test]
fn a_volume_in_use_is_not_deleted_and_no_step_deletes_one() {
    let mut world = engine();
    let mount =
        Value::map([("Type", Value::text("volume")), ("Source", Value::text("data"))]);
    let mounts = [("HostConfig.Mounts", Value::map([("/data", mount)]))];
    assert!(!document(&mounts).get("HostConfig.Mounts").is_null());
    run(&mut world, "a", &mounts);
    assert!(world.volumes.contains_key("data"), "it was made with the container");
    assert!(world.delete_volume(&"data".into()).is_err());
    world.remove_by_force("a");
    assert!(world.volumes.contains_key("data"));
    world.delete_volume(&"data".into()).unwrap();
    assert!(world.volumes.is_empty());
}
