//! Temporary.
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::unwrap_used, reason = "temporary")]
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use super::files::Files;
use super::interpolate::Interpolation;
use super::node::*;
use super::problem::*;
use crate::state::desired::*;
use crate::state::digest::DigestKey;
use crate::state::ids::*;
use crate::state::secret::{Secret, is_sensitive_name};
use crate::state::value::Value;
#[derive(Debug)]
pub struct Request { pub files: Vec<PathBuf>, pub env_files: Vec<PathBuf>, pub project: Option<String>, pub profiles: BTreeSet<String>, pub environment: BTreeMap<String, String>, pub digest_key: DigestKey }
#[derive(Debug)]
pub struct Loaded { pub desired: Option<Desired>, pub canonical: Option<Node>, pub problems: Problems, pub sources: Sources, pub touched: BTreeSet<PathBuf> }
pub fn load(request: &Request, files: &dyn Files) -> Loaded {
    let mut problems = Problems::default();
    let mut sources = Sources::default();
    let dir = request.files[0].parent().unwrap_or(Path::new("/")).to_path_buf();
    let mut vars = super::interpolate::variables::Variables::from_environment(&request.environment);
    let envs = if request.env_files.is_empty() { vec![dir.join(".env")] } else { request.env_files.clone() };
    for e in envs { if let Ok(b) = files.read(&e) { let d = super::dotenv::parse(&String::from_utf8_lossy(&b), &vars); vars.add_missing(d.variables); } }
    let mut root: Option<Node> = None;
    for f in &request.files {
        let Ok(b) = files.read(f) else { problems.error(None, "", format!("cannot read {}", f.display())); continue };
        let text = String::from_utf8_lossy(&b).into_owned();
        let i = sources.add(f.clone(), text.clone());
        let Some(docs) = super::yaml::parse(i, &text, &mut problems) else { continue };
        for mut d in docs {
            let mut ip = Interpolation::new(&vars);
            ip.interpolate(&mut d, "", &sources, &mut problems);
            ip.finish(&mut problems);
            let c = super::canonical::canonicalise(d, &mut problems);
            root = Some(match root { None => c, Some(r) => super::merge::merge(r, c) });
        }
    }
    let Some(root) = root.filter(|_| !problems.has_errors()) else { return Loaded { desired: None, canonical: None, problems, sources, touched: BTreeSet::new() } };
    let v = root.value();
    let project = request.project.clone().or_else(|| v.get("name").as_text().map(str::to_owned)).unwrap_or_else(|| dir.file_name().unwrap().to_string_lossy().to_lowercase());
    let dur = |v: &Value| v.as_text().and_then(|t| super::units::parse_duration(t).ok());
    let abs = |p: &str| if p.starts_with("./") || p.starts_with("../") { dir.join(p).components().filter(|c| !matches!(c, std::path::Component::CurDir)).collect::<PathBuf>().to_string_lossy().into_owned() } else { p.to_owned() };
    let mut services = BTreeMap::new();
    let mut uses_default = false;
    for (name, s) in v.get("services").entries() {
        let mut s = s.clone();
        if let Value::Map(m) = &mut s {
            if let Some(Value::List(vs)) = m.get_mut("volumes") { for x in vs { if let Value::Map(x) = x { if x.get("type") == Some(&Value::text("bind")) { let p = abs(x["source"].as_text().unwrap()); x.insert("source".into(), Value::text(p)); } } } }
            if !m.contains_key("networks") && !m.contains_key("network_mode") { m.insert("networks".into(), Value::map([("default", Value::Null)])); uses_default = true; }
            if let Some(Value::Map(e)) = m.get_mut("environment") { for (k, v) in e.iter_mut() { if is_sensitive_name(k) { *v = v.clone().concealed(); } } }
        }
        let depends_on = s.get("depends_on").entries().map(|(k, d)| (ServiceName::new(k), Dependency { condition: match d.get("condition").as_text() { Some("service_healthy") => Condition::Healthy, Some("service_completed_successfully") => Condition::Completed, _ => Condition::Started }, required: true, restart: false })).collect();
        let restart = match s.get("restart").as_text().unwrap_or("no") { "always" => RestartPolicy::Always, "unless-stopped" => RestartPolicy::UnlessStopped, t if t.starts_with("on-failure") => RestartPolicy::OnFailure { attempts: None }, _ => RestartPolicy::No };
        services.insert(ServiceName::new(name), Service {
            name: ServiceName::new(name), image: ImageReference::new(s.get("image").as_text().unwrap_or("")), pull_policy: PullPolicy::Missing, platform: None,
            container_name: s.get("container_name").as_text().map(ContainerName::new), replicas: s.at("deploy.replicas").as_int().unwrap_or(1) as u32, depends_on, health_check: HealthCheck::Inherited, restart,
            stop_grace: dur(s.get("stop_grace_period")).unwrap_or(Duration::from_secs(10)), settings: ServiceSettings { stable_address: s.at("x-reconciler.address").as_text() == Some("stable"), ..Default::default() }, canonical: s });
    }
    let mut networks: BTreeMap<_, _> = v.get("networks").entries().map(|(k, n)| (NetworkKey::new(k), NetworkSpec { name: NetworkName::new(n.get("name").as_text().map_or(format!("{project}_{k}"), str::to_owned)), external: n.get("external").as_bool() == Some(true), canonical: n.clone() })).collect();
    if uses_default { networks.entry(NetworkKey::new("default")).or_insert(NetworkSpec { name: NetworkName::new(format!("{project}_default")), external: false, canonical: Value::Null }); }
    let volumes = v.get("volumes").entries().map(|(k, n)| (VolumeKey::new(k), VolumeSpec { name: VolumeName::new(n.get("name").as_text().map_or(format!("{project}_{k}"), str::to_owned)), external: n.get("external").as_bool() == Some(true), canonical: n.clone() })).collect();
    let content = |family: &str| v.get(family).entries().map(|(k, n)| (k.to_owned(), if let Some(t) = n.get("content").exposed_text() { Content::Inline(Secret::new(t)) } else if let Some(e) = n.get("environment").as_text() { Content::Inline(Secret::new(vars.text(e).unwrap_or(""))) } else { Content::File(PathBuf::from(abs(n.get("file").as_text().unwrap_or("")))) })).collect();
    let (configs, secrets) = (content("configs"), content("secrets"));
    let generation = Generation::new(request.digest_key.digest(&v));
    let stack = Stack { project: ProjectName::new(&project), source: SourceId::new(request.files[0].to_string_lossy()), working_dir: dir, files: request.files.clone(), generation, digest_key: request.digest_key.clone(), services, inactive: BTreeSet::new(), networks, volumes, configs, secrets, settings: StackSettings::default(), canonical: super::render::canonical(&root) };
    Loaded { desired: Some(Desired::new(stack, super::validate::temporary())), canonical: Some(root), problems, sources, touched: BTreeSet::new() }
}
