//! The dry run: `diff` writes nothing, exit statuses tell what was found, and a stack that
//! is as wanted is left alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod product;
mod proxy;
mod real;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;

use bollard::models::{ContainerConfig, ContainerCreateBody, HealthConfig};
use bollard::query_parameters as query;
use product::Product;
use proxy::{Effect, Proxy};
use real::raw::inspected;
use real::{Corner, IMAGE, client};
use reconciler::cli::arguments::parse_from;
use reconciler::cli::stacks::load_all;
use reconciler::clock::Clock;
use reconciler::controller::{Controller, Event};
use reconciler::engine::docker::Docker;
use reconciler::engine::{Engine, Scope};
use reconciler::keeper::Keeper;
use reconciler::pass::Wanted;
use reconciler::planning::progress::{Progress, ProgressEvent};
use reconciler::planning::world::Allowed;
use reconciler::report::Report;
use reconciler::runtime::{Runtime, Turn};
use reconciler::store::Store;

/// How many passes over a stack that is as wanted must write nothing.
const PASSES: usize = 100;

/// Returns a stack with a bit of everything.
fn stack(corner: &Corner) -> String {
    format!(
        "name: {}
services:
  first:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    healthcheck: {{test: [CMD, 'true'], interval: 1s}}
    environment: {{DB_PASSWORD: hidden, PLAIN: shown}}
    volumes: [data:/data]
    configs: [settings]
    ports: ['127.0.0.1::80']
    deploy: {{resources: {{limits: {{memory: 64M, cpus: '0.5'}}}}}}
    networks: {{default: {{aliases: [other]}}, second: }}
  job:
    image: {IMAGE}
    command: ['true']
    network_mode: none
  last:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    depends_on:
      first: {{condition: service_healthy}}
      job: {{condition: service_completed_successfully}}
networks: {{second: }}
volumes: {{data: }}
configs: {{settings: {{content: 'a = 1'}}}}
",
        corner.project()
    )
}

async fn corner(what: &str) -> Option<Corner> {
    let corner = Corner::new(what).await?;
    corner.has(IMAGE).await.then_some(corner)
}

#[tokio::test]
async fn a_diff_writes_nothing_whatever_it_finds() {
    let Some(corner) = corner("diff").await else { return };
    let proxy = Proxy::start();
    let mut product = Product::new();
    product.option(&["--host", &proxy.host()]);
    product.write("stack.yaml", &stack(&corner));
    for arguments in [&["diff"][..], &["diff", "-o", "json"], &["status"]] {
        product.ends(1, arguments);
    }
    proxy.assert_nothing_written();
    assert_eq!(inspected(&corner.project()).len(), 0);
    product.apply();
    assert!(!proxy.calls_that(Effect::Write).is_empty());

    proxy.forget();
    product.ends(0, &["diff"]);
    product.ends(0, &["status"]);
    product.write("stack.yaml", &stack(&corner).replace("PLAIN: shown", "PLAIN: other"));
    let ended = product.ends(1, &["diff"]);
    assert!(ended.output.contains("environment.PLAIN"), "{ended}");
    product.ends(0, &["config"]);
    product.ends(0, &["validate"]);
    product.run(&["explain", "first"]);
    proxy.assert_nothing_written();
    assert!(proxy.calls_that(Effect::Probe).is_empty());
}

#[tokio::test]
async fn a_second_apply_and_a_hundred_passes_write_nothing() {
    let Some(corner) = corner("still").await else { return };
    let proxy = Proxy::start();
    let mut product = Product::new();
    product.option(&["--host", &proxy.host()]);
    product.write("stack.yaml", &stack(&corner));
    product.apply();
    let before = inspected(&corner.project());

    proxy.forget();
    product.apply();
    proxy.assert_nothing_written();

    let mut runtime = runtime(&product, &proxy).await;
    let mut report = Report::new(Box::new(Nobody), String::new());
    for number in 1..=PASSES {
        let found = loop {
            if let Turn::Passed(found) = runtime.next(&mut report).await {
                break found;
            }
        };
        assert!(found.plan.is_in_sync(), "pass {number}: {:#?}", found.plan.changes);
        assert!(found.plan.steps.is_empty(), "pass {number}: {:#?}", found.plan.steps);
        assert!(found.status.ready, "pass {number}: {:#?}", found.status);
        // Being told the same again means to look at everything again.
        let wanted = runtime.controller.wanted().clone();
        runtime.tell(Event::Wanted(Box::new(wanted)));
    }
    proxy.assert_nothing_written();
    let looks = proxy.calls().len();
    assert!(looks > PASSES, "the passes went through the proxy: {looks} calls");
    for (service, container) in inspected(&corner.project()) {
        let first = &before[&service];
        assert_eq!(container["Id"], first["Id"], "{service}");
        assert_eq!(container["State"]["StartedAt"], first["State"]["StartedAt"]);
    }
}

/// Nobody who follows the work.
struct Nobody;

impl Progress for Nobody {
    fn report(&mut self, _: &ProgressEvent) {}

    fn finish(&mut self) {}
}

/// Returns a controller of the product's stack with the product's state, at work through
/// the proxy.
async fn runtime(product: &Product, proxy: &Proxy) -> Runtime<Docker> {
    let stack = product.path("stack.yaml");
    let words = ["reconciler", "diff", "--insecure-permissions", "-f"];
    let words = words.map(OsString::from).into_iter().chain([stack.into_os_string()]);
    let options = parse_from(words, &BTreeMap::new(), |_| None).unwrap().options;
    let store = Store::new(Some(product.path("state")));
    let loaded = load_all(&options, &store.digest_key());
    let desired = loaded.stacks[0].desired().expect("a valid stack").clone();
    let engine = Arc::new(Docker::connect(Some(&proxy.host())).await.unwrap());
    let facts = engine.facts().await.unwrap();
    let mut clock = Clock::new();
    clock.set_engine_time(facts.time);
    let keeper = Keeper::new(&store, &facts.id, &desired.project);
    let memory = keeper.memory(clock.now());
    let wanted = Wanted::new(desired);
    let controller = Controller::new(wanted, Allowed::default(), memory);
    Runtime::new(&engine, controller, clock, keeper)
}

#[tokio::test]
async fn exit_statuses_tell_what_was_found() {
    let Some(corner) = corner("exit").await else { return };
    let product = Product::new();
    product.write("stack.yaml", &stack(&corner));
    product.ends(0, &["validate"]);
    product.ends(1, &["diff"]);
    for command in [&["diff"][..], &["apply", "--timeout", "60s"], &["status"]] {
        let mut nowhere = vec!["--host", "unix:///nowhere/engine.sock"];
        nowhere.extend(command);
        let ended = product.ends(3, &nowhere);
        assert!(ended.notices.contains("/nowhere/engine.sock"), "{ended}");
        assert_eq!(ended.output, "", "{ended}");
    }
    let offline = ["--host", "unix:///nowhere/engine.sock", "validate"];
    product.ends(0, &offline);

    for invalid in ["", "services: {a: {imag: x}}", "services: [", "name: x\n"] {
        product.write("stack.yaml", invalid);
        for command in [&["validate"][..], &["diff"], &["apply", "--timeout", "60s"]] {
            let ended = product.ends(2, command);
            assert!(!ended.notices.is_empty(), "{invalid:?}: {ended}");
        }
    }
    product.ends(2, &["diff", "--no-such-option"]);
    assert_eq!(inspected(&corner.project()).len(), 0);
}

#[tokio::test]
async fn what_an_image_brings_along_is_no_drift() {
    let Some(corner) = corner("image").await else { return };
    let image = rich_image(&corner).await;
    let product = Product::new();
    let want = |service: &str| {
        let project = corner.project();
        let text = format!(
            "name: {project}\nservices:\n  plain:\n    image: {image}\n  own:\n    \
             image: {image}\n    {service}\n"
        );
        product.write("stack.yaml", &text);
    };
    want("environment: {FROM_IMAGE: ours, MORE: too}");
    product.apply();
    product.assert_in_sync();
    assert_eq!(product.quirks().len(), 0, "{:#?}", product.quirks());
    let containers = inspected(&corner.project());
    let plain = &containers["plain"]["Config"];
    assert_eq!((&plain["User"], &plain["WorkingDir"]), (&"1000".into(), &"/etc".into()));
    assert_eq!(plain["StopSignal"], "SIGKILL");
    assert_eq!(plain["Labels"]["made.by"], "image");
    assert!(!plain["ExposedPorts"]["8080/tcp"].is_null(), "{plain}");
    assert!(!plain["Healthcheck"].is_null(), "{plain}");

    // What is taken away again gives way to what the image has.
    for service in [
        "user: root",
        "working_dir: /",
        "stop_signal: SIGTERM",
        "healthcheck: {disable: true}",
        "healthcheck: {interval: 2s}",
        "expose: ['9090']",
        "entrypoint: [sleep, '601']",
        "command: ['602']",
        "labels: {made.by: us}",
        "volumes: [data:/data]\nvolumes: {data: }",
    ] {
        want(service);
        let ended = product.ends(1, &["diff", "-o", "json"]);
        assert!(!ended.output.contains("service/plain"), "{service}: {ended}");
        product.apply();
        product.assert_in_sync();
        assert_eq!(product.quirks().len(), 0, "{service}: {:#?}", product.quirks());
    }
}

#[tokio::test]
async fn a_container_whose_image_has_no_name_any_more_is_left_alone() {
    let Some(corner) = corner("gone").await else { return };
    let image = rich_image(&corner).await;
    let product = Product::new();
    let project = corner.project();
    product.write(
        "stack.yaml",
        &format!("name: {project}\nservices:\n  a:\n    image: {image}\n"),
    );
    product.apply();
    let id = client().inspect_image(&image).await.unwrap().id.unwrap();
    let remove = async |image: &str| {
        let options = query::RemoveImageOptions { force: true, ..Default::default() };
        client().remove_image(image, Some(options), None).await.unwrap()
    };
    remove(&image).await;
    let docker = Docker::connect(None).await.unwrap();
    let scope = Scope {
        project: project.as_str().into(),
        images: BTreeSet::from([image.as_str().into()]),
        paths: BTreeSet::new(),
    };
    let observed = docker.look(&scope).await.unwrap();
    assert!(observed.image(&image).is_none());
    product.assert_in_sync();
    product.ends(0, &["delete", "--yes"]);
    // The corner finds images by name, and this one has none.
    remove(&id).await;
}

/// Makes an image that says everything that an image can say.
async fn rich_image(corner: &Corner) -> String {
    let body =
        ContainerCreateBody { image: Some(IMAGE.to_owned()), ..Default::default() };
    let options = query::CreateContainerOptions {
        name: Some(corner.name("base")),
        ..Default::default()
    };
    let container = client().create_container(Some(options), body).await.unwrap();
    let texts = |items: &[&str]| Some(items.iter().map(ToString::to_string).collect());
    let config = ContainerConfig {
        env: texts(&["PATH=/bin", "FROM_IMAGE=yes", "API_KEY=image-secret"]),
        user: Some("1000".to_owned()),
        working_dir: Some("/etc".to_owned()),
        entrypoint: texts(&["sleep"]),
        cmd: texts(&["600"]),
        stop_signal: Some("SIGKILL".to_owned()),
        labels: Some([("made.by".to_owned(), "image".to_owned())].into()),
        exposed_ports: texts(&["8080/tcp"]),
        volumes: texts(&["/data"]),
        healthcheck: Some(HealthConfig {
            test: texts(&["CMD", "true"]),
            interval: Some(1_000_000_000),
            timeout: Some(2_000_000_000),
            retries: Some(4),
            ..Default::default()
        }),
        ..Default::default()
    };
    let options = query::CommitContainerOptions {
        container: Some(container.id.clone()),
        repo: Some(corner.name("rich")),
        tag: Some("1".to_owned()),
        ..Default::default()
    };
    client().commit_container(options, config).await.unwrap();
    let options = query::RemoveContainerOptions { force: true, ..Default::default() };
    client().remove_container(&container.id, Some(options)).await.unwrap();
    format!("{}:1", corner.name("rich"))
}
