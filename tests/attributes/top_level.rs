//! Networks and volumes of a stack: what stands at the top of the file.

use serde_json::{Value as Json, json};

use crate::product::Product;
use crate::real::raw::ask;
use crate::real::{Corner, IMAGE};

/// What a network is asked for, what `diff` names, and what the engine shows where.
const NETWORK: &[(&str, &[&str], &str, &str)] = &[
    (
        "driver_opts: {com.docker.network.bridge.enable_icc: 'false'}",
        &["driver_opts"],
        "/Options/com.docker.network.bridge.enable_icc",
        "\"false\"",
    ),
    ("internal: true", &["internal"], "/Internal", "true"),
    (
        "ipam: {config: [{subnet: 10.214.7.0/24, gateway: 10.214.7.9}]}",
        &["ipam"],
        "/IPAM/Config/0/Gateway",
        "\"10.214.7.9\"",
    ),
    ("labels: {team: a}", &["labels.team"], "/Labels/team", "\"a\""),
];

#[tokio::test]
async fn networks_are_made_again_and_every_container_is_attached_again() {
    let Some(corner) = Corner::new("net").await else { return };
    if !corner.has(IMAGE).await {
        return;
    }
    let product = Product::new();
    let want = |options: &[&str]| {
        let mut text = format!("name: {}\nservices:\n", corner.project());
        for service in ["a", "b"] {
            text.push_str(&format!(
                "  {service}:\n    image: {IMAGE}\n    command: [sleep, '600']\n    \
                 init: true\n    networks: [one]\n"
            ));
        }
        text.push_str("networks:\n  one:\n");
        for option in options.iter().copied().chain(["name: '{name}'"]) {
            text.push_str(&format!("    {option}\n"));
        }
        product.write("stack.yaml", &text.replace("{name}", &corner.name("one")));
    };
    let path = format!("/networks/{}", corner.name("one"));
    want(&[]);
    product.apply();
    product.assert_in_sync();
    let first = ids(&ask(&path));
    assert_eq!(first.len(), 2);
    for (option, names, place, shown) in NETWORK {
        want(&[option]);
        assert_eq!(named(&product), *names, "{option}");
        product.apply();
        product.assert_in_sync();
        let network = ask(&path);
        let shown: Json = serde_json::from_str(shown).unwrap();
        assert_eq!(network.pointer(place), Some(&shown), "{option}: {network}");
        assert_eq!(ids(&network), first, "{option}: the containers live on");

        want(&[]);
        if *names == ["ipam"] {
            // Where no addresses are asked for, any will do: the engine chooses some.
            product.assert_in_sync();
            continue;
        }
        assert_eq!(named(&product), *names, "without {option}");
        product.apply();
        product.assert_in_sync();
        assert_ne!(ask(&path).pointer(place), Some(&shown), "without {option}");
    }
}

/// Returns what `diff` names of the one network, which has to be made again.
fn named(product: &Product) -> Vec<String> {
    let changes = product.changes();
    let change = changes.iter().find(|change| change["object"] == "network/one");
    let change = change.unwrap_or_else(|| panic!("no network in {changes:#?}"));
    assert_eq!(change["action"], "recreate", "{change}");
    let fields = change["fields"].as_array().into_iter().flatten();
    fields.filter_map(|field| field["path"].as_str()).map(str::to_owned).collect()
}

fn ids(network: &Json) -> Vec<String> {
    let containers = network["Containers"].as_object().into_iter().flatten();
    containers.map(|(id, _)| id.clone()).collect()
}

#[tokio::test]
async fn a_volume_is_made_as_asked_for_and_never_changed_afterwards() {
    let Some(corner) = Corner::new("vol").await else { return };
    if !corner.has(IMAGE).await {
        return;
    }
    let product = Product::new();
    let want = |options: &str| {
        product.write("stack.yaml", &format!(
            "name: {}\nservices:\n  a:\n    image: {IMAGE}\n    command: [sleep, '600']\n    \
             init: true\n    network_mode: none\n    volumes: [data:/data]\n\
             volumes:\n  data: {options}\n",
            corner.project(),
        ));
    };
    want("{driver_opts: {type: tmpfs, device: tmpfs, o: size=1m}, labels: {team: a}}");
    product.apply();
    product.assert_in_sync();
    let path = format!("/volumes/{}_data", corner.project());
    let made = ask(&path);
    assert_eq!(
        made["Options"],
        json!({"type": "tmpfs", "device": "tmpfs", "o": "size=1m"})
    );
    assert_eq!(made["Labels"]["team"], "a");

    want("{driver_opts: {type: tmpfs, device: tmpfs, o: size=2m}}");
    let ended = product.run(&["diff", "-o", "json"]);
    assert_eq!(ended.code, 0, "a volume is no drift: {}", ended.output);
    let note = &ended.json()["stacks"][0]["notes"][0];
    assert_eq!(
        (&note["reason"], &note["about"]),
        (&json!("Conflict"), &json!("volume/data"))
    );
    product.apply();
    assert_eq!(ask(&path)["CreatedAt"], made["CreatedAt"]);
    assert_eq!(ask(&path)["Options"], made["Options"]);
}
