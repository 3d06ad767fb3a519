//! All cases at once: a stack with one service per case, changed and changed back.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use bollard::models::{ContainerConfig, ContainerCreateBody};
use bollard::query_parameters as query;
use serde_json::Value as Json;

use crate::case::{Case, Expected, Shown};
use crate::packing::{Service, packed};
use crate::product::{Product, free_port};
use crate::real::raw::inspected;
use crate::real::{Corner, IMAGE, client};

/// What every service has, unless its case says otherwise: it sleeps, and stops at once.
const COMMON: [(&str, &str); 4] = [
    ("image", IMAGE),
    ("command", "[sleep, '600']"),
    ("init", "true"),
    ("stop_grace_period", "1s"),
];

/// What else is in the stack: others to share with, and what can be attached.
const SURROUNDINGS: &str = "
  peer:
    image: lab/busybox:latest
    command: [sleep, '600']
    init: true
    stop_grace_period: 1s
    ipc: shareable
    volumes: [data:/shared]
    networks: [default, second, fixed]
  keeper:
    image: lab/busybox:latest
    command: [sleep, '600']
    init: true
    stop_grace_period: 1s
    network_mode: none
    volumes: [more:/more]
networks:
  default: {}
  second: {}
  fixed:
    ipam: {config: [{subnet: '{subnet}.0/24'}]}
volumes:
  data: {}
  more: {}
configs:
  file: {file: ./config.txt}
  inline: {content: 'a = 1'}
  other: {content: 'a = 2'}
secrets:
  file: {file: ./secret.txt}
  inline: {environment: TRIAL_SECRET}
";

/// The cases of one test, in a corner of the engine.
pub(crate) struct Trial {
    corner: Corner,
    product: Product,
    words: Vec<(&'static str, String)>,
    cases: Vec<Case>,
}

/// Which of the two values the services have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Trial {
    /// Prepares a trial; nothing where there is no engine.
    pub(crate) async fn new(what: &str, cases: Vec<Case>) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let product = Product::new();
        product.write("config.txt", "from a file\n");
        product.write("secret.txt", "from a file\n");
        product.write(".env", "TRIAL_SECRET=hidden\n");
        make_image(&corner).await;
        let digits = corner.project().bytes().rev().take(2).map(u32::from).sum::<u32>();
        let words = vec![
            ("{project}", corner.project()),
            ("{folder}", product.path("bound").parent().unwrap().display().to_string()),
            ("{port}", free_port().to_string()),
            ("{subnet}", format!("10.213.{}", digits % 250)),
        ];
        Some(Self { corner, product, words, cases })
    }

    /// Changes every case there and back, and asserts at each stop what `diff` says and
    /// what the engine shows.
    pub(crate) fn run(&self) {
        self.want(Side::Before);
        self.settle();
        let first = inspected(&self.corner.project());

        self.want(Side::After);
        self.assert_named(Side::After);
        self.settle();
        let changed = inspected(&self.corner.project());
        self.each_shown(|service, shown| self.judge(service, shown, &changed));

        self.want(Side::Before);
        self.assert_named(Side::Before);
        self.settle();
        let last = inspected(&self.corner.project());
        self.each_shown(|service, shown| {
            let place = self.filled(&shown.place);
            let [was, is] =
                [&first, &last].map(|side| seen(side, service, shown, &place));
            (was != is).then(|| format!("at first {was}, in the end {is}"))
        });
    }

    fn want(&self, side: Side) {
        let mut text = format!("name: {}\nservices:\n", self.corner.project());
        for service in packed(&self.cases) {
            text.push_str(&written(&service, side));
        }
        text.push_str(SURROUNDINGS.trim_start_matches('\n'));
        self.product.write("stack.yaml", &self.filled(&text));
    }

    fn settle(&self) {
        self.product.ends(0, &["apply", "--timeout", "170s"]);
        self.product.assert_in_sync();
        let quirks = self.product.quirks();
        assert!(quirks.is_empty(), "read back otherwise than asked for: {quirks:#?}");
    }

    fn filled(&self, text: &str) -> String {
        self.words
            .iter()
            .fold(text.to_owned(), |text, (word, with)| text.replace(word, with))
    }

    /// Asserts that `diff` names exactly what changes, with what it costs.
    fn assert_named(&self, side: Side) {
        let expected: BTreeMap<String, (String, BTreeSet<String>)> = packed(&self.cases)
            .iter()
            .filter(|service| service.cases.iter().any(|case| !case.names.is_empty()))
            .map(|service| {
                let cost = service.cases.first().map(|case| match side {
                    Side::After => case.there,
                    Side::Before => case.back,
                });
                let names = service.cases.iter().flat_map(|case| match side {
                    Side::After => &case.names,
                    Side::Before => case.names_back.as_ref().unwrap_or(&case.names),
                });
                let names = names.map(|name| self.filled(name)).collect();
                let cost = cost.unwrap_or_default().to_owned();
                (format!("service/{}/1", service.name), (cost, names))
            })
            .collect();
        let found: BTreeMap<String, (String, BTreeSet<String>)> =
            self.product.changes().iter().map(named).collect();
        let objects: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        let wrong: Vec<String> = objects
            .into_iter()
            .filter(|object| expected.get(*object) != found.get(*object))
            .map(|object| {
                let [wanted, found] = [expected.get(object), found.get(object)];
                format!("{object}: wanted {wanted:?}, found {found:?}")
            })
            .collect();
        assert!(wrong.is_empty(), "diff is wrong:\n{}", wrong.join("\n"));
    }

    /// Judges everything that is to be seen of every case, each with its service.
    fn each_shown(&self, judge: impl Fn(&str, &Shown) -> Option<String>) {
        let mut wrong = Vec::new();
        for service in packed(&self.cases) {
            for case in &service.cases {
                for shown in &case.shows {
                    let why = judge(service.name, shown);
                    let place = &shown.place;
                    wrong.extend(why.map(|why| format!("{} {place}: {why}", case.name)));
                }
            }
        }
        assert!(wrong.is_empty(), "the engine shows otherwise:\n{}", wrong.join("\n"));
    }

    /// Returns what is wrong with what the engine shows.
    fn judge(
        &self,
        service: &str,
        shown: &Shown,
        side: &BTreeMap<String, Json>,
    ) -> Option<String> {
        let Some(container) = side.get(service) else {
            return Some("there is no container".to_owned());
        };
        let found = container.pointer(&self.filled(&shown.place));
        let found = found.unwrap_or(&Json::Null);
        let fill = |json: &Json| -> Json {
            serde_json::from_str(&self.filled(&json.to_string())).expect("JSON")
        };
        let items = found.as_array().cloned().unwrap_or_default();
        let (is_right, wanted) = match &shown.value {
            Expected::Is(value) => (*found == fill(value), format!("{}", fill(value))),
            Expected::Has(item) => {
                (items.contains(&fill(item)), format!("with {}", fill(item)))
            }
            Expected::Lacks(item) => {
                let text = self.filled(item);
                (!holds(found, &text), format!("without {text}"))
            }
            Expected::Begins(start) => {
                let text = found.as_str().unwrap_or_default();
                (text.starts_with(start), format!("{start}…"))
            }
        };
        (!is_right).then(|| format!("wanted {wanted}, found {found}"))
    }
}

fn named(change: &Json) -> (String, (String, BTreeSet<String>)) {
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let fields = change["fields"].as_array().into_iter().flatten();
    let paths = fields.map(|field| text(&field["path"])).collect();
    (text(&change["object"]), (text(&change["action"]), paths))
}

/// Returns what a container shows at a place, its own id left out: a new one has another.
fn seen(
    side: &BTreeMap<String, Json>,
    service: &str,
    shown: &Shown,
    place: &str,
) -> String {
    let Some(container) = side.get(service) else { return "nothing".to_owned() };
    let id = container["Id"].as_str().unwrap_or_default();
    let found = container.pointer(place).unwrap_or(&Json::Null);
    let short = id.get(..12).unwrap_or("no id");
    match &shown.value {
        // What else is there, such as our own labels, may differ.
        Expected::Lacks(item) => format!("{item}: {}", holds(found, item)),
        Expected::Is(_) | Expected::Has(_) | Expected::Begins(_) => {
            match found.as_str() {
                // Both mean that the engine does not start it again.
                Some("" | "no") => "\"no\"".to_owned(),
                Some(_) | None => {
                    found.to_string().replace(id, "(id)").replace(short, "(id)")
                }
            }
        }
    }
}

/// Tells whether a list has an item, or an object a key.
fn holds(json: &Json, item: &str) -> bool {
    let items = json.as_array().into_iter().flatten();
    items.into_iter().any(|it| it.as_str() == Some(item)) || json.get(item).is_some()
}

/// Returns the YAML of a service.
fn written(service: &Service<'_>, side: Side) -> String {
    let own = |case: &&Case| match side {
        Side::Before => case.before,
        Side::After => case.after,
    };
    let lines: Vec<&str> =
        service.cases.iter().flat_map(|case| own(case).lines()).collect();
    let has = |key: &str| lines.iter().any(|line| line.starts_with(&format!("{key}:")));
    let mut text = format!("  {}:\n", service.name);
    for (key, value) in COMMON {
        if !has(key) {
            text.push_str(&format!("    {key}: {value}\n"));
        }
    }
    let has_network = service.cases.iter().any(|case| case.has_network);
    if !has_network && !has("networks") && !has("network_mode") {
        text.push_str("    network_mode: none\n");
    }
    for line in lines {
        text.push_str(&format!("    {line}\n"));
    }
    text
}

/// Makes an image `PROJECT-other` that differs from the usual one.
async fn make_image(corner: &Corner) {
    let body =
        ContainerCreateBody { image: Some(IMAGE.to_owned()), ..Default::default() };
    let options = query::CreateContainerOptions {
        name: Some(corner.name("to-commit")),
        ..Default::default()
    };
    let container = client().create_container(Some(options), body).await.expect("one");
    let options = query::CommitContainerOptions {
        container: Some(container.id),
        repo: Some(corner.name("other")),
        tag: Some("1".to_owned()),
        comment: Some("another image".to_owned()),
        ..Default::default()
    };
    client()
        .commit_container(options, ContainerConfig::default())
        .await
        .expect("an image");
}

/// Tells whether the host has a device.
pub(crate) fn has_device(path: &str) -> bool {
    let tested = Command::new("test").args(["-b", path]).status();
    tested.is_ok_and(|status| status.success())
}
