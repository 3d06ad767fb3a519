//! What is asked of whom: a place that is named by a service is each of its containers.

use std::collections::BTreeSet;

use super::containers;
use crate::planning::outside;
use crate::planning::world::{Instance, World};
use crate::state::ask::{Answer, Ask, Found, Trouble, TroubleKind};
use crate::state::check::{CheckKind, Credential, Login, Place, S3};
use crate::state::ids::{ContainerName, Object, ServiceName};
use crate::state::observed::{Container, Status};

/// One question of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What it is about: `service/etcd/1`, `127.0.0.1:19530`, a folder.
    pub object: String,
    /// The container that it is about, if it is about one.
    pub container: Option<ContainerName>,
    /// What is asked.
    pub what: What,
}

/// What is asked, or known without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// This.
    Ask(Ask),
    /// The look has told it.
    Known {
        /// The answer.
        answer: Answer,
        /// What to do about it, where that depends on what was found.
        next: Option<String>,
    },
}

impl Question {
    /// Makes one whose answer is known.
    pub(super) const fn known(object: String, answer: Answer) -> Self {
        Self { object, container: None, what: What::Known { answer, next: None } }
    }

    /// As [`Self::known`], with what to do next.
    pub(super) fn with_next(mut self, advice: impl Into<String>) -> Self {
        if let What::Known { next, .. } = &mut self.what {
            *next = Some(advice.into());
        }
        self
    }
}

/// Returns the questions of a check.
pub(super) fn questions(world: &World<'_>, kind: &CheckKind) -> Vec<Question> {
    match kind {
        CheckKind::Containers { of } => containers::questions(world, of),
        CheckKind::Http { at, path, status, body } => of_place(world, at, |host| {
            let (path, status, body) = (path.clone(), status.clone(), body.clone());
            Ask::Http { host, port: at.port, path, status, body }
        }),
        CheckKind::Tcp { at } => {
            of_place(world, at, |host| Ask::Tcp { host, port: at.port })
        }
        CheckKind::Grpc { at, service, login } => of_place(world, at, |host| {
            let (service, login) = (service.clone(), self::login(world, login.as_ref()));
            Ask::Grpc { host, port: at.port, service, login }
        }),
        CheckKind::EtcdAlarms { at, login } => of_place(world, at, |host| {
            let login = self::login(world, login.as_ref());
            Ask::EtcdAlarms { host, port: at.port, login }
        }),
        CheckKind::S3(s3) => of_place(world, &s3.at, |host| signed(world, s3, host)),
        CheckKind::Disk { paths, .. } => disks(world, paths),
        CheckKind::Memory { of, .. } => memories(world, of),
        CheckKind::ImageAge { .. } => images(world),
        CheckKind::Exec { of, command } => of_service(world, of, |holder| {
            Ok(Ask::Exec { container: holder.id.clone(), command: command.clone() })
        }),
    }
}

fn signed(world: &World<'_>, s3: &S3, host: String) -> Ask {
    Ask::S3 {
        host,
        port: s3.at.port,
        bucket: s3.bucket.clone(),
        region: s3.region.clone(),
        access_key: s3.access_key.clone(),
        secret_key: absolute(world, &s3.secret_key),
    }
}

fn login(world: &World<'_>, login: Option<&Login>) -> Option<(String, Credential)> {
    login.map(|it| (it.user.clone(), absolute(world, &it.password)))
}

/// A file of a secret is against the folder of the stack.
fn absolute(world: &World<'_>, credential: &Credential) -> Credential {
    match credential {
        Credential::Text(secret) => Credential::Text(secret.clone()),
        Credential::File(path) => Credential::File(world.desired.working_dir.join(path)),
    }
}

fn of_place(world: &World<'_>, at: &Place, ask: impl Fn(String) -> Ask) -> Vec<Question> {
    let service = ServiceName::new(&at.host);
    let is_service = world.desired.services.contains_key(&service)
        || world.desired.inactive.contains(&service);
    if !is_service {
        let host = &at.host;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let object = format!("{host}:{}", at.port);
        let what = What::Ask(ask(at.host.clone()));
        return vec![Question { object, container: None, what }];
    }
    of_service(world, &service, |holder| {
        outside::address(world.observed, holder).map(&ask).ok_or_else(|| {
            let said = "it has no address that this host reaches";
            Trouble::new(TroubleKind::Unknown, said)
        })
    })
}

/// Asks every container of a service that runs. Those that do not are told by `containers`;
/// that none does is told here too.
fn of_service(
    world: &World<'_>,
    service: &ServiceName,
    ask: impl Fn(&Container) -> Result<Ask, Trouble>,
) -> Vec<Question> {
    let object = || format!("service/{service}");
    if world.desired.inactive.contains(service) {
        let said = "its profile is not active";
        let trouble = Trouble::new(TroubleKind::Unknown, said);
        return vec![Question::known(object(), Err(trouble))];
    }
    let running = |it: &&Instance<'_>| holder(it).is_some();
    let asked = world.replicas_of(service).filter(running).filter_map(|instance| {
        let holder = holder(instance)?;
        let what = match ask(holder) {
            Ok(ask) => What::Ask(ask),
            Err(trouble) => What::Known { answer: Err(trouble), next: None },
        };
        let container = Some(holder.name.clone());
        Some(Question { object: name(instance), container, what })
    });
    let asked: Vec<Question> = asked.collect();
    if asked.is_empty() {
        let said = "no container of it runs";
        let trouble = Trouble::new(TroubleKind::Unwell, said);
        let next = "`reconciler status` says why, `reconciler apply` brings it up";
        return vec![Question::known(object(), Err(trouble)).with_next(next)];
    }
    asked
}

/// Returns the container in charge, if it runs.
fn holder<'a>(instance: &Instance<'a>) -> Option<&'a Container> {
    instance.office.holder.filter(|it| it.state.status == Status::Running)
}

/// Returns the name of a replica: `service/etcd/1`.
pub(super) fn name(instance: &Instance<'_>) -> String {
    Object::Service(instance.replica.clone()).to_string()
}

fn disks(world: &World<'_>, paths: &BTreeSet<String>) -> Vec<Question> {
    let mut paths = paths.clone();
    if paths.is_empty() {
        paths.extend(world.observed.host_paths.keys().cloned());
        if paths.is_empty() {
            paths.extend(written(world));
            let answer = if paths.is_empty() {
                Ok(Found::Well("no folder of this host is mounted".to_owned()))
            } else {
                let said = "the engine is not reached by a socket of this host: its \
                            folders cannot be looked at";
                Err(Trouble::new(TroubleKind::Unknown, said))
            };
            return vec![Question::known("disk".to_owned(), answer)];
        }
    }
    let question = |path: String| {
        let what = What::Ask(Ask::Disk { path: path.clone() });
        Question { object: path, container: None, what }
    };
    paths.into_iter().map(question).collect()
}

/// Iterates over the folders of the host that services may write to.
fn written<'a>(world: &'a World<'_>) -> impl Iterator<Item = String> + 'a {
    let mounts = world.desired.services.values();
    let mounts = mounts.flat_map(|service| service.canonical.get("volumes").items());
    let binds = mounts.filter(|mount| {
        mount.get("type").as_text() == Some("bind")
            && mount.get("read_only").as_bool() != Some(true)
    });
    binds.filter_map(|mount| mount.get("source").as_text().map(str::to_owned))
}

fn memories(world: &World<'_>, of: &BTreeSet<ServiceName>) -> Vec<Question> {
    let meant = |it: &&Instance<'_>| of.is_empty() || of.contains(&it.replica.service);
    let asked = world.instances.values().filter(meant).filter_map(|instance| {
        let holder = holder(instance)?;
        let limit = holder.document.get("HostConfig.Memory").as_int()?;
        let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0)?;
        let container = holder.id.clone();
        Some(Question {
            object: name(instance),
            container: Some(holder.name.clone()),
            what: What::Ask(Ask::Memory { container, limit }),
        })
    });
    let asked: Vec<Question> = asked.collect();
    if asked.is_empty() {
        let said = "no container that runs has a limit".to_owned();
        return vec![Question::known("memory".to_owned(), Ok(Found::Well(said)))];
    }
    asked
}

fn images(world: &World<'_>) -> Vec<Question> {
    let holders = world.instances.values().filter_map(|instance| {
        let holder = instance.office.holder?;
        let image = world.observed.image(holder.image.as_str());
        let created = image.and_then(|image| image.created);
        let answer = created.map(|created| Found::Age(world.now.age(created)));
        let answer = answer.ok_or_else(|| {
            let said = "its image does not say when it was made";
            Trouble::new(TroubleKind::Unknown, said)
        });
        let question = Question::known(name(instance), answer);
        Some(Question { container: Some(holder.name.clone()), ..question })
    });
    let holders: Vec<Question> = holders.collect();
    if holders.is_empty() {
        let said = "there is no container yet".to_owned();
        return vec![Question::known("image".to_owned(), Ok(Found::Well(said)))];
    }
    holders
}
