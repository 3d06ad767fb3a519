use super::super::files::ReadError;
use super::super::problem::Severity;
use super::*;
use crate::state::ids::ServiceName;
use crate::state::value::Value;

mod checkout;
mod damage;
mod encrypted;
mod guide;
mod quoted;

/// Files in memory, and what else a load takes.
struct Scene {
    files: BTreeMap<PathBuf, Vec<u8>>,
    request: Request,
}

impl Scene {
    /// Files of `/srv/app`; those whose names end in `.yaml` are loaded in this order.
    fn new<const N: usize>(files: [(&str, &str); N]) -> Self {
        let path = |name: &str| Path::new("/srv/app").join(name);
        let stack =
            files.iter().map(|(name, _)| *name).filter(|name| name.contains(".yaml"));
        let request = Request {
            files: stack.map(path).collect(),
            env_files: vec![],
            project: None,
            profiles: BTreeSet::new(),
            environment: BTreeMap::new(),
            digest_key: DigestKey::new([7; 32]),
            checkout: None,
        };
        let files = files
            .iter()
            .map(|(name, text)| (path(name), text.as_bytes().to_vec()))
            .collect();
        Self { files, request }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.request.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn profile(mut self, profile: &str) -> Self {
        self.request.profiles.insert(profile.to_owned());
        self
    }

    fn load(&self) -> Loaded {
        load(&self.request, &self.files)
    }

    #[track_caller]
    fn stack(&self) -> Desired {
        let loaded = self.load();
        assert_eq!(shown(&loaded, Severity::Error), Vec::<String>::new());
        loaded.desired.expect("no error, so a stack")
    }

    #[track_caller]
    fn errors(&self) -> Vec<String> {
        let loaded = self.load();
        assert!(loaded.desired.is_none());
        shown(&loaded, Severity::Error)
    }
}

fn shown(loaded: &Loaded, severity: Severity) -> Vec<String> {
    let problems = loaded.problems.iter().filter(|problem| problem.severity == severity);
    problems
        .map(|problem| {
            let place = problem.span.and_then(|span| loaded.sources.position(span));
            let place = place.map_or_else(String::new, |(path, line, column)| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                format!("{name}:{line}:{column} ")
            });
            format!("{place}{}", problem.message)
        })
        .collect()
}

fn environment(stack: &Desired, service: &str) -> String {
    stack.services[service].canonical.get("environment").to_string()
}

#[test]
fn a_stack_is_what_its_file_says() {
    let stack =
        Scene::new([("compose.yaml", "services: {web: {image: nginx}}\n")]).stack();
    assert_eq!(stack.project.as_str(), "app");
    assert_eq!(stack.source.as_str(), "/srv/app/compose.yaml");
    assert_eq!(stack.working_dir, Path::new("/srv/app"));
    assert_eq!(stack.services["web"].image.as_str(), "nginx");
    assert_eq!(stack.networks["default"].name.as_str(), "app_default");
    assert_eq!(
        stack.canonical.at("services.web.networks").to_string(),
        "{default: null}"
    );
}

#[test]
fn an_empty_stack_is_an_error_and_never_a_stack() {
    for (text, message) in [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("---\n", "the file is empty"),
        ("name: x\n", "the stack has no services"),
        ("services:\n", "nothing was found; a mapping is needed"),
        ("services: {}\n", "the stack has no services"),
        (
            "services: {a: {image: x, profiles: [p]}}\n",
            "every service belongs to a profile",
        ),
    ] {
        let errors = Scene::new([("f.yaml", text)]).errors();
        assert!(errors.len() == 1 && errors[0].contains(message), "{text}: {errors:?}");
    }
    assert_eq!(
        Scene::new([("f.yaml", "a: &a [\n")]).errors(),
        ["f.yaml:1:7 this `[` is never closed"]
    );
    let mut gone = Scene::new([("f.yaml", "services: {a: {image: x}}\n")]);
    gone.files.clear();
    assert_eq!(gone.errors(), ["the file /srv/app/f.yaml is not there"]);
    assert_eq!(Scene::new([]).errors(), ["no file was named"]);
}

/// A source that lends no file.
struct Refusing;
impl Files for Refusing {
    fn read(&self, _: &Path) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Refused("others may write to it".to_owned()))
    }
    fn exists(&self, _: &Path) -> bool {
        true
    }
}

#[test]
fn a_file_that_is_no_text_is_refused_with_its_reason() {
    let mut scene = Scene::new([("f.yaml", "")]);
    let path = scene.request.files[0].clone();
    scene.files.insert(path.clone(), b"services:\n  a\xFF: 1\n".to_vec());
    assert!(scene.errors()[0].starts_with("f.yaml:2:4 byte 0xff is not UTF-8"));
    scene.files.insert(path.clone(), vec![b' '; 2_000_000]);
    assert!(scene.errors()[0].contains("larger than 1048576 bytes"));
    scene.files.insert(path, b"services: {a: {image: x}}\0".to_vec());
    assert!(scene.errors()[0].contains("U+0000"));

    let refused = load(&scene.request, &Refusing);
    let errors = shown(&refused, Severity::Error);
    assert_eq!(
        errors,
        [
            "/srv/app/.env cannot be read: others may write to it",
            "/srv/app/.env.age cannot be read: others may write to it",
            "/srv/app/f.yaml cannot be read: others may write to it"
        ]
    );
}

#[test]
fn problems_of_all_phases_and_files_come_at_once() {
    let errors = Scene::new([
        ("a.yaml", "services:\n  a: {image: '${}', prots: [x]}\n"),
        ("b.yaml", "services:\n  b: {image: x, depends_on: [c], mem_limit: lots}\n"),
    ])
    .errors();
    let starts: Vec<&str> =
        errors.iter().map(|error| error.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(
        starts,
        ["a.yaml:2:15", "a.yaml:2:21", "b.yaml:2:30", "b.yaml:2:45"],
        "{errors:?}"
    );
}

#[test]
fn variables_come_from_the_environment_and_then_from_the_last_file() {
    let text = "services: {a: {image: x, environment: {A: $A, B: $B, C: $C}}}\n";
    let files = [
        ("f.yaml", text),
        (".env", "A=dotenv\nB=dotenv\nC=dotenv\n"),
        ("one.env", "B=one\nC=one\n"),
        ("two.env", "C=two-$B\n"),
    ];
    let scene = Scene::new(files).with("A", "shell");
    assert_eq!(environment(&scene.stack(), "a"), "{A: shell, B: dotenv, C: dotenv}");
    let mut scene = scene;
    scene.request.env_files = vec!["/srv/app/one.env".into(), "/srv/app/two.env".into()];
    assert_eq!(environment(&scene.stack(), "a"), "{A: shell, B: one, C: two-one}");
    scene.request.env_files = vec!["/srv/app/none.env".into()];
    assert_eq!(scene.errors(), ["the file /srv/app/none.env is not there"]);
}

#[test]
fn what_a_variable_brings_is_not_typed_by_its_looks() {
    let text = "services: {a: {image: x, environment: {A: $A, B: 1.10}, labels: {l: $A}, \
                healthcheck: {test: x, retries: $R}, mem_limit: $M}}\n";
    let scene = Scene::new([("f.yaml", text)]);
    let stack = scene.with("A", "0755").with("R", "3").with("M", "1g").stack();
    assert_eq!(environment(&stack, "a"), "{A: 0755, B: 1.1}");
    let canonical = &stack.services["a"].canonical;
    assert_eq!(canonical.at("labels.l"), &Value::text("0755"));
    assert_eq!(canonical.at("healthcheck.retries"), &Value::Int(3));
    assert_eq!(canonical.get("mem_limit"), &Value::text("1073741824"));
}

#[test]
fn the_environment_of_a_container_is_that_of_its_files_under_its_own() {
    let text = "services:
  a:
    image: x
    env_file: [one.env, {path: two.env}, {path: gone.env, required: false}]
    environment: {OWN: own, FROM_SHELL: , NOWHERE: , EMPTY: ''}
";
    let scene = Scene::new([
        ("f.yaml", text),
        ("one.env", "OWN=file\nEMPTY=file\nX=one\nY=one\n"),
        ("two.env", "X=two\nZ=${TAG}-x\nNOWHERE=file\n"),
        (".env", "TAG=7\n"),
    ]);
    let loaded = scene.with("FROM_SHELL", "shell").load();
    let stack = loaded.desired.unwrap();
    assert_eq!(
        environment(&stack, "a"),
        "{EMPTY: , FROM_SHELL: shell, OWN: own, X: two, Y: one, Z: 7-x}"
    );
    assert_eq!(stack.canonical.at("services.a.env_file"), &Value::Null);
    assert_eq!(stack.canonical.at("services.a.environment.NOWHERE"), &Value::Null);
    let touched: Vec<_> =
        loaded.touched.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(touched, [".env", ".env.age", "f.yaml", "gone.env", "one.env", "two.env"]);
}

#[test]
fn a_missing_or_broken_env_file_is_an_error() {
    let text = "services: {a: {image: x, env_file: e.env}}\n";
    assert_eq!(
        Scene::new([("f.yaml", text)]).errors(),
        ["f.yaml:1:36 the file /srv/app/e.env is not there"]
    );
    let broken =
        Scene::new([("f.yaml", text), ("e.env", "TOKEN=hunter2\nB=\"hunter3\n")]);
    assert_eq!(broken.errors(), ["e.env:2:3 this quote is never closed"]);
    let loaded = broken.load();
    assert!(!format!("{:?}", loaded.sources).contains("hunter"));
    let raw = "services: {a: {image: x, env_file: [{path: e.env, format: raw}]}}\n";
    let stack = Scene::new([("f.yaml", raw), ("e.env", "B=\"$x\n")]).stack();
    assert_eq!(environment(&stack, "a"), "{B: \"$x}");
}

#[test]
fn secrets_are_known_by_name_by_list_and_by_what_went_into_them() {
    let text = "services:
  a:
    image: x
    command: [run, --key=$APP_TOKEN]
    environment: {DB_PASSWORD: p, LICENCE: l, MY_CODE: m, URL: 'u:${APP_TOKEN}@h', PLAIN: x}
    x-reconciler: {sensitive: [MY_*]}
    volumes: ['${SECRETS_DIR}/a:/a']
x-reconciler: {sensitive: [LICENCE]}
";
    let scene =
        Scene::new([("f.yaml", text), (".env", "APP_TOKEN=t0ken\nSECRETS_DIR=/s\n")]);
    let loaded = scene.load();
    assert_eq!(shown(&loaded, Severity::Warning), Vec::<String>::new());
    let stack = loaded.desired.unwrap();
    assert_eq!(
        environment(&stack, "a"),
        "{DB_PASSWORD: (sensitive), LICENCE: (sensitive), MY_CODE: (sensitive), PLAIN: x, \
         URL: (sensitive)}"
    );
    let canonical = &stack.services["a"].canonical;
    assert_eq!(canonical.get("command").to_string(), "[run, (sensitive)]");
    assert_eq!(canonical.get("volumes").items()[0].get("source"), &Value::text("/s/a"));
    assert!(!format!("{stack:?}").contains("t0ken"));
}

#[test]
fn a_secret_in_a_name_is_shown_and_that_is_told() {
    let text = "services: {a: {image: 'x:$API_TOKEN'}}\n";
    let loaded = Scene::new([("f.yaml", text)]).with("API_TOKEN", "v1").load();
    assert_eq!(
        shown(&loaded, Severity::Warning),
        ["f.yaml:1:23 this value is shown to everybody"]
    );
    assert_eq!(loaded.desired.unwrap().services["a"].image.as_str(), "x:v1");
}

#[test]
fn later_files_and_documents_go_over_earlier_ones_in_the_folder_of_the_first() {
    let mut scene = Scene::new([
        (
            "a.yaml",
            "services: {a: {image: x, volumes: ['./d:/d'], env_file: e.env}}\n---\n\
             services: {a: {command: two, ports: ['1:1']}}\n",
        ),
        (
            "sub/b.yaml",
            "services: {a: {image: y, ports: !reset [], volumes: ['./e:/e']}}\n",
        ),
        ("e.env", "A=1\n"),
    ]);
    scene.request.project = Some("given".to_owned());
    let stack = scene.stack();
    let service = &stack.services["a"];
    assert_eq!((stack.project.as_str(), service.image.as_str()), ("given", "y"));
    let sources: Vec<_> = service
        .canonical
        .get("volumes")
        .items()
        .iter()
        .map(|mount| mount.get("source").to_string())
        .collect();
    assert_eq!(sources, ["/srv/app/d", "/srv/app/e"]);
    assert_eq!(service.canonical.get("command").to_string(), "[two]");
    assert!(service.canonical.get("ports").is_zero());
    assert_eq!(stack.files.len(), 2);
}

#[test]
fn profiles_set_services_aside() {
    let text = "services:
  a: {image: x, depends_on: {p: {condition: service_started, required: false}}}
  p: {image: x, profiles: [one]}
  q: {image: x, profiles: [two, three], volumes: ['vol:/v']}
volumes: {vol: }
";
    let names = |stack: &Desired| {
        let active: Vec<&str> = stack.services.keys().map(ServiceName::as_str).collect();
        let inactive: Vec<&str> =
            stack.inactive.iter().map(ServiceName::as_str).collect();
        (active.join(" "), inactive.join(" "))
    };
    let scene = || Scene::new([("f.yaml", text)]);
    let stack = scene().stack();
    assert_eq!(names(&stack), ("a".to_owned(), "p q".to_owned()));
    assert!(stack.volumes.is_empty() && stack.services["a"].depends_on.is_empty());
    let stack = scene().profile("one").stack();
    assert_eq!(names(&stack), ("a p".to_owned(), "q".to_owned()));
    assert_eq!(stack.services["a"].depends_on.len(), 1);
    let stack = scene().with("COMPOSE_PROFILES", "x, three").stack();
    assert_eq!(names(&stack), ("a q".to_owned(), "p".to_owned()));
    assert_eq!(stack.volumes["vol"].name.as_str(), "app_vol");
    assert_eq!(names(&scene().profile("*").stack()).1, "");
    let needed =
        "services: {a: {image: x, depends_on: [p]}, p: {image: x, profiles: [one]}}\n";
    assert_eq!(
        Scene::new([("f.yaml", needed)]).errors(),
        ["f.yaml:1:39 the service `p` is in no active profile"]
    );
}

#[test]
fn names_on_the_engine_are_those_that_compose_gives() {
    let text = "name: shop
services: {a: {image: 'x:$COMPOSE_PROJECT_NAME', networks: [n, e, o], volumes: ['vol:/v']}}
networks: {n: , e: {external: true}, o: {external: true, name: other}}
volumes: {vol: {name: fixed}}
";
    let stack = Scene::new([("f.yaml", text)]).stack();
    let names: Vec<&str> =
        stack.networks.values().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["e", "shop_n", "other"]);
    assert!(stack.networks["e"].external && !stack.networks["n"].external);
    assert_eq!(stack.volumes["vol"].name.as_str(), "fixed");
    assert_eq!(stack.services["a"].image.as_str(), "x:shop");
}

#[test]
fn configs_and_secrets_have_one_source_of_bytes() {
    let text = "services: {a: {image: x, configs: [f, i], secrets: [e]}}
configs: {f: {file: ./f.txt}, i: {content: 'hello $WHO'}}
secrets: {e: {environment: CODE}}
";
    let scene = Scene::new([("c.yaml", text)]).with("CODE", "c0de").with("WHO", "you");
    let loaded = scene.load();
    assert_eq!(
        shown(&loaded, Severity::Warning),
        ["c.yaml:2:21 the file /srv/app/f.txt is not there now"]
    );
    let stack = loaded.desired.unwrap();
    let inline = |content: &crate::state::desired::Content| match content {
        crate::state::desired::Content::Inline(secret) => secret.expose().to_owned(),
        crate::state::desired::Content::File(path) => format!("file {}", path.display()),
    };
    assert_eq!(inline(&stack.configs["f"]), "file /srv/app/f.txt");
    assert_eq!(inline(&stack.configs["i"]), "hello you");
    assert_eq!(inline(&stack.secrets["e"]), "c0de");
    assert!(loaded.touched.contains(Path::new("/srv/app/f.txt")));
    let wrong = "services: {a: {image: x, configs: [n, t, x], secrets: [e]}}
configs: {n: {}, t: {file: f, content: c}, x: {external: true}}
secrets: {e: {environment: CODE}}
";
    assert_eq!(
        Scene::new([("c.yaml", wrong)]).errors(),
        [
            "c.yaml:2:11 it does not say where its bytes come from",
            "c.yaml:2:18 it says more than once where its bytes come from",
            "c.yaml:2:44 an engine without Swarm keeps no configs and no secrets",
            "c.yaml:3:28 the variable CODE is not set",
        ]
    );
}

#[test]
fn the_generation_moves_with_the_meaning_and_with_nothing_else() {
    let generation = |text: &str, code: &str| {
        let scene = Scene::new([("f.yaml", text)]).with("CODE", code);
        scene.stack().generation.to_string()
    };
    let base = "services: {a: {image: x, environment: {A_TOKEN: $CODE, B: b}, secrets: [s]}}\n\
                secrets: {s: {environment: CODE}}\n";
    let same = "# comment\nsecrets:\n    s:\n        environment: \"CODE\"\nservices:\n  a:\n    \
                secrets: [s]\n    environment: [B=b, 'A_TOKEN=$CODE']\n    image: 'x'\n\
                x-mine: 1\n";
    let first = generation(base, "one");
    assert_eq!(first, generation(same, "one"));
    assert_ne!(first, generation(base, "two"));
    assert_ne!(first, generation(&base.replace("image: x", "image: y"), "one"));
    assert_ne!(
        first,
        generation(&format!("{base}x-reconciler: {{prune: never}}\n"), "one")
    );
    assert!(first.starts_with("sha256:") && first.len() == 71);
}

#[test]
fn an_unset_variable_is_told_and_an_unfit_one_stops() {
    let text = "services: {a: {image: 'x:$TAG', environment: {U: '${USER:?say who}'}}}\n";
    let loaded = Scene::new([("f.yaml", text)]).load();
    assert_eq!(
        shown(&loaded, Severity::Warning),
        ["f.yaml:1:26 the variable TAG is not set; it is taken as empty"]
    );
    let errors = shown(&loaded, Severity::Error);
    assert!(errors.iter().any(|error| {
        error == "f.yaml:1:51 the variable USER is required and has no value: say who"
    }));
}
