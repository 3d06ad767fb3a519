//! Notifications of a real operator on a simulated engine: over TLS, and to those who do not
//! take them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

#[path = "../product/mod.rs"]
mod product;
mod receiver;

use std::net::TcpListener;

use product::operator::Operator;
use product::{CANARY, Product, repository};
use receiver::Receiver;

/// A stack whose file names these to be told.
fn scene(notify: &[String]) -> Product {
    let mut product = Product::new();
    let engine = format!("sim:{}", product.path("engine.json").display());
    product.option(&["--host", &engine]);
    let file = repository().join("tests/data/tls/ca.pem");
    product.variable("SSL_CERT_FILE", file.to_str().unwrap());
    want(&product, notify, "web:1");
    product
}

fn want(product: &Product, notify: &[String], image: &str) {
    let notify = notify.join(", ");
    product.write(
        "stack.yaml",
        &format!(
            "name: shop
services:
  web:
    image: {image}
    environment: {{DB_PASSWORD: {CANARY}}}
x-reconciler:
  notify: [{notify}]
"
        ),
    );
}

fn url(address: &str) -> String {
    format!("{{url: '{address}/hooks/{CANARY}'}}")
}

#[test]
fn what_happens_is_told_over_tls_to_whom_the_host_trusts() {
    let receiver = Receiver::over_tls("200 OK");
    let notify = [url(&receiver.url())];
    let product = scene(&notify);
    let mut operator = Operator::start(&product);
    let first = receiver.next();
    assert_eq!(
        (&first["reason"], &first["severity"]),
        (&"converged".into(), &"info".into())
    );
    assert_eq!((&first["stack"], &first["object"]), (&"shop".into(), &"stack".into()));
    assert!(first["text"].as_str().unwrap().contains("shop on "), "{first}");
    assert!(first["commit"].is_null() && first["host"].is_string(), "{first}");
    want(&product, &notify, "missing:1");
    let second = receiver.next();
    assert_eq!(
        (&second["reason"], &second["severity"]),
        (&"failed".into(), &"error".into())
    );
    assert_eq!(second["object"], "service/web");
    want(&product, &notify, "web: [");
    let third = receiver.next();
    assert_eq!(third["reason"], "refused");
    assert!(third["message"].as_str().unwrap().starts_with("Invalid: "), "{third}");
    want(&product, &notify, "web:1");
    assert_eq!(receiver.next()["reason"], "converged");
    operator.signal("TERM");
    assert!(operator.ended().success());
    operator.records();
}

#[test]
fn whoever_does_not_take_them_holds_nothing_up_and_is_complained_of_once() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = format!("http://{}", hanging.local_addr().unwrap());
    let failing = Receiver::plain("500 Internal Server Error");
    let notify = [
        url(&hangs),
        url(&failing.url()),
        url(&format!("http://127.0.0.1:{}", product::free_port())),
        "{url_file: /nowhere/at-all}".to_owned(),
    ];
    let product = scene(&notify);
    let mut operator = Operator::quiet(&product);
    operator.says_message("the stack is ready");
    assert_eq!(failing.next()["reason"], "converged");
    want(&product, &notify, "web:2");
    operator.says_message("the stack is ready");
    // The first request to the one that fails was made again meanwhile, or will be.
    assert_eq!(failing.next()["reason"], "converged");
    operator.signal("TERM");
    assert!(operator.ended().success());
    let records = operator.records().iter();
    let complaints = records.filter(|it| it["message"] == "notifications do not arrive");
    let mut complaints: Vec<String> =
        complaints.map(|it| format!("{}: {}", it["to"], it["error"])).collect();
    let all = complaints.len();
    complaints.sort();
    complaints.dedup();
    // One of each; the one that hangs may still have been waited for.
    assert!(all == complaints.len() && (3..=4).contains(&all), "{complaints:#?}");
    let status = product.status();
    assert_eq!(status["ready"], true, "{status}");
}

#[test]
fn whom_the_host_does_not_trust_is_told_nothing() {
    let receiver = Receiver::over_tls("200 OK");
    let mut product = scene(&[url(&receiver.url())]);
    product.variable("SSL_CERT_FILE", "/nowhere");
    product.variable("SSL_CERT_DIR", "/nowhere");
    let mut operator = Operator::quiet(&product);
    let said = operator.says_message("notifications do not arrive");
    assert_eq!(said["to"], "localhost", "{said}");
    assert!(said["error"].as_str().unwrap().contains("SSL_CERT_FILE"), "{said}");
    operator.signal("TERM");
    assert!(operator.ended().success());
    assert!(receiver.is_silent());
}

#[test]
fn one_url_for_all_stacks_lies_in_a_file_for_its_owner_alone() {
    let receiver = Receiver::plain("200 OK");
    let product = scene(&[]);
    product.write("url", &format!("{}/hooks/{CANARY}\n", receiver.url()));
    let file = product.path("url").display().to_string();
    let options = ["--notify-url-file", &file];
    product.shell("chmod 644 url");
    let refused = product.ends(2, &["run", "--notify-url-file", &file]);
    assert!(refused.notices.contains("chmod 600"), "{refused}");
    product.shell("chmod 600 url");
    let mut operator = Operator::with_options(&product, &options);
    assert_eq!(receiver.next()["reason"], "converged");
    operator.signal("TERM");
    assert!(operator.ended().success());
    operator.records();
}
