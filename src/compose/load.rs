//! From files to a stack: the phases, in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::files::Files;
use super::interpolate::Interpolation;
use super::interpolate::variables::{Variable, Variables};
use super::node::{Kind, Mapping, Node};
use super::problem::{Problems, Sources, Span};
use super::reading::{NoText, Reading};
use super::validate::Candidate;
use super::{
    canonical, complete, content, counted, environment, extension, merge, paths,
    profiles, project, sensitive, unused, yaml,
};
use crate::state::concealer::Concealer;
use crate::state::desired::Desired;
use crate::state::digest::DigestKey;
use crate::state::ids::ProjectName;
use crate::state::secret::Secret;

/// What to load.
#[derive(Clone, Debug)]
pub struct Request {
    /// The absolute paths of the files; several are merged into one stack.
    pub files: Vec<PathBuf>,
    /// The files of variables; when there are none, `.env` and `.env.age` beside the first
    /// file are read if they are there.
    pub env_files: Vec<PathBuf>,
    /// The name of the project, if somebody asks for one.
    pub project: Option<String>,
    /// The active profiles; when there are none, those of `COMPOSE_PROFILES`.
    pub profiles: BTreeSet<String>,
    /// The environment of the process, lent by the caller.
    pub environment: BTreeMap<String, String>,
    /// The key by which secrets enter the generation.
    pub digest_key: DigestKey,
    /// The folder that the files come from, if they are copies of what stands elsewhere: no
    /// relative path may lead out of it, and no container may write into it.
    pub checkout: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Loaded {
    /// The stack; nothing when any problem is an error.
    pub desired: Option<Desired>,
    /// The stack in canonical form, with places; nothing when any problem is an error.
    pub canonical: Option<Node>,
    /// Everything that is wrong, in the order of the text.
    pub problems: Problems,
    /// What was read, to draw the problems on. Of files of variables only the names.
    pub sources: Sources,
    /// Every path that was read or looked for: what to watch.
    pub touched: BTreeSet<PathBuf>,
}

/// Loads a stack.
///
/// All problems are found at once, as far as one does not hide another. Nothing is read
/// but what `files` lends, and nothing depends on when or where this runs.
pub fn load(request: &Request, files: &dyn Files) -> Loaded {
    let mut load = Load {
        request,
        folder: request
            .files
            .first()
            .and_then(|file| file.parent())
            .unwrap_or(Path::new("/")),
        reading: Reading::new(files),
        problems: Problems::default(),
        unspeakable: Vec::new(),
    };
    let outcome = load.run();
    let Load { reading, mut problems, unspeakable, .. } = load;
    problems.conceal(&Concealer::new(unspeakable.iter().map(Secret::expose)));
    problems.sort();
    let (desired, canonical) = outcome.filter(|_| !problems.has_errors()).unzip();
    Loaded {
        desired,
        canonical,
        problems,
        sources: reading.sources,
        touched: reading.touched,
    }
}

struct Load<'a> {
    request: &'a Request,
    folder: &'a Path,
    reading: Reading<'a>,
    problems: Problems,
    /// The secrets that are known so far: no problem may repeat one.
    unspeakable: Vec<Secret>,
}

impl Load<'_> {
    fn run(&mut self) -> Option<(Desired, Node)> {
        let variables = self.variables();
        let documents = self.documents();
        let literals = documents.iter().flatten().flat_map(sensitive::literals);
        self.unspeakable.extend(literals);
        let (mut variables, documents) = (variables?, documents?);
        let project = self.project(&mut variables, &documents)?;
        let mut root = self.merged(documents, &variables);
        self.require_services(&root)?;
        self.make_paths_absolute(&mut root, variables.text("HOME"));
        environment::resolve(
            &mut root,
            &variables,
            &mut self.reading,
            &mut self.problems,
        );
        let extension = extension::stack(&root, &mut self.problems);
        Self::mark_secrets(&mut root, &extension.settings.sensitive);
        sensitive::reveal(&mut root, &mut self.problems);
        let active = profiles::active(&self.request.profiles, &variables);
        let inactive = profiles::set_aside(&mut root, &active);
        self.require_active(&root, &inactive)?;
        complete::complete(&mut root, &project);
        let unused = unused::drop_unused(&mut root, &inactive, &mut self.problems);
        let mut contents = |family| {
            content::contents(
                &root,
                family,
                &variables,
                &mut self.reading,
                &mut self.problems,
            )
        };
        let (configs, secrets) = (contents("configs"), contents("secrets"));
        let surroundings = counted::Surroundings {
            folder: self.folder,
            home: variables.text("HOME"),
            configs: &configs,
            secrets: &secrets,
            key: &self.request.digest_key,
        };
        let counted =
            counted::count(&root, &surroundings, &mut self.reading, &mut self.problems);
        let candidate = Candidate {
            configs,
            secrets,
            counted,
            project,
            files: self.request.files.clone(),
            working_dir: self.folder.to_owned(),
            inactive,
            unused,
            extension,
            digest_key: self.request.digest_key.clone(),
            unspeakable: self.unspeakable.clone(),
            root,
        };
        let desired = candidate.validate(&mut self.problems)?;
        Some((desired, candidate.root))
    }

    fn make_paths_absolute(&mut self, root: &mut Node, home: Option<&str>) {
        let checkout = self.request.checkout.as_deref();
        let resolution = paths::Resolution { folder: self.folder, home, checkout };
        resolution.make_absolute(root, &mut self.problems);
    }

    /// Reads the variables: the environment wins over files, and later files over earlier.
    fn variables(&mut self) -> Option<Variables> {
        let environment = Variables::from_environment(&self.request.environment);
        let beside = [".env", ".env.age"].map(|name| self.folder.join(name));
        let implied = self.request.env_files.is_empty();
        let files = if implied { &beside[..] } else { &self.request.env_files };
        let mut known = environment.clone();
        let mut read_files = Vec::new();
        let mut complete = true;
        for path in files {
            match self.reading.variables(path, false, &known, &mut self.problems) {
                Ok(read) => {
                    known.add_missing((*read).clone());
                    read_files.push(read);
                }
                Err(NoText::Missing) if implied => {}
                Err(other) => {
                    other.report(path, None, "", &mut self.problems);
                    complete = false;
                }
            }
        }
        let mut variables = environment;
        for read in read_files.iter().rev() {
            variables.add_missing((**read).clone());
        }
        self.unspeakable.extend(variables.secrets());
        complete.then_some(variables)
    }

    /// Reads the documents of all files; nothing when one of them cannot be read.
    fn documents(&mut self) -> Option<Vec<Node>> {
        let mut documents = Vec::new();
        let mut complete = !self.request.files.is_empty();
        if !complete {
            self.problems.error(None, "", "no file was named");
        }
        for path in &self.request.files {
            match self.file(path) {
                Some(more) => documents.extend(more),
                None => complete = false,
            }
        }
        complete.then_some(documents)
    }

    fn file(&mut self, path: &Path) -> Option<Vec<Node>> {
        let (file, text) = match self.reading.text(path, &mut self.problems) {
            Ok(read) => read,
            Err(why) => {
                why.report(path, None, "", &mut self.problems);
                return None;
            }
        };
        let mut documents = yaml::parse(file, &text, &mut self.problems)?;
        documents.retain(|document| !document.is_null());
        if documents.is_empty() {
            self.problems
                .error(Span { file, start: 0, end: 0 }, "", "the file is empty")
                .help("a Compose file has at least `services:` and a service");
            return None;
        }
        Some(documents)
    }

    /// Decides the name of the project, which files may name in turn.
    fn project(
        &mut self,
        variables: &mut Variables,
        documents: &[Node],
    ) -> Option<ProjectName> {
        let asked = self.request.project.as_deref();
        let name =
            project::name(asked, variables, documents, self.folder, &mut self.problems)?;
        let variable = Variable { text: name.to_string(), sensitive: false };
        variables.set(project::VARIABLE, variable);
        Some(name)
    }

    /// Interpolates, brings into canonical form, and merges.
    fn merged(&mut self, documents: Vec<Node>, variables: &Variables) -> Node {
        let mut interpolation = Interpolation::new(variables);
        let span = documents
            .first()
            .map_or(Span { file: 0, start: 0, end: 0 }, |first| first.span);
        let mut root = Node::new(Kind::Mapping(Mapping::new()), span);
        for mut document in documents {
            let sources = &self.reading.sources;
            interpolation.interpolate(&mut document, "", sources, &mut self.problems);
            let mut found = Problems::default();
            let document = canonical::canonicalise(document, &mut found);
            // Where a variable could not be put in, what follows from it is no news.
            self.problems.extend(found.into_iter().filter(|problem| {
                problem.span.is_none_or(|span| !interpolation.is_faulty(span))
            }));
            root = merge::merge(root, document);
        }
        interpolation.finish(&mut self.problems);
        root
    }

    fn require_services(&mut self, root: &Node) -> Option<()> {
        let services = root.as_mapping()?.get("services");
        if services.is_some_and(|entry| {
            entry.node.as_mapping().is_some_and(|all| !all.is_empty())
        }) {
            return Some(());
        }
        if services.is_some_and(|entry| entry.node.is_null())
            && self.problems.has_errors()
        {
            return None;
        }
        let span = services.map_or(root.span, |entry| entry.key);
        self.problems
            .error(span, "services", "the stack has no services")
            .help("to take a stack down, use `reconciler delete`");
        None
    }

    fn require_active(&mut self, root: &Node, inactive: &Mapping) -> Option<()> {
        let services = root.get("services").and_then(Node::as_mapping)?;
        if !services.is_empty() {
            return Some(());
        }
        let span = inactive.values().next().map(|entry| entry.key);
        self.problems
            .error(
                span,
                "services",
                "every service belongs to a profile, and none is active",
            )
            .help("activate one with `--profile`");
        None
    }

    /// Marks what `x-reconciler` and the names of variables say is secret.
    fn mark_secrets(root: &mut Node, of_stack: &[String]) {
        let services = root.get_mut("services").into_iter().flat_map(Node::entries_mut);
        for (name, entry) in services {
            // Reported once, by the validation.
            let mut ignored = Problems::default();
            let of_service =
                extension::service(name, &entry.node, &mut ignored).sensitive;
            let patterns: Vec<&str> =
                of_stack.iter().chain(&of_service).map(String::as_str).collect();
            sensitive::mark(&mut entry.node, &patterns);
        }
        sensitive::mark_addresses(root);
        sensitive::mark_texts(root);
    }
}

#[cfg(test)]
mod tests;
