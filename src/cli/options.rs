//! The options that every command has, before or after its name.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, ValueEnum};

/// Where the desired state is, where the engine is, and how to talk about it.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Options of every command")]
pub struct Options {
    /// File of `RECONCILER_*=value` lines that are the defaults of the options [default:
    /// /etc/reconciler/reconciler.env, if it is there]
    #[arg(long, value_name = "FILE", env = "RECONCILER_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,

    /// Desired-state file, or folder with one file per stack; several files are merged
    /// into one stack, later ones win
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE|DIR",
        env = "RECONCILER_FILE",
        hide_env = true,
        default_value = "desired-state"
    )]
    pub files: Vec<PathBuf>,

    /// Repository whose files are the desired state, instead of -f
    #[arg(long, value_name = "URL", env = "RECONCILER_GIT_URL", hide_env = true)]
    pub git: Option<String>,

    /// Folder or file in the repository
    #[arg(
        long,
        value_name = "DIR",
        env = "RECONCILER_GIT_PATH",
        hide_env = true,
        default_value = "."
    )]
    pub path: PathBuf,

    /// Name of this host: what hosts/NAME/ has is merged into the stacks [default: the
    /// system's]
    #[arg(long, value_name = "NAME", env = "RECONCILER_HOST_NAME", hide_env = true)]
    pub host_name: Option<String>,

    /// File of variables instead of `.env`; may be given several times
    #[arg(
        long = "env-file",
        value_name = "FILE",
        env = "RECONCILER_ENV_FILE",
        hide_env = true
    )]
    pub env_files: Vec<PathBuf>,

    /// File with the age identities that decrypt `*.age` and sops files; nobody but its
    /// owner may read it
    #[arg(long, value_name = "FILE", env = "RECONCILER_AGE_KEY_FILE", hide_env = true)]
    pub age_key_file: Option<PathBuf>,

    /// Project name, instead of the file's own
    #[arg(
        short = 'p',
        long,
        value_name = "NAME",
        env = "RECONCILER_PROJECT_NAME",
        hide_env = true
    )]
    pub project_name: Option<String>,

    /// Profile whose services are wanted too; may be given several times
    #[arg(
        long = "profile",
        value_name = "PROFILE",
        env = "RECONCILER_PROFILE",
        hide_env = true,
        value_delimiter = ','
    )]
    pub profiles: Vec<String>,

    /// The engine.
    #[arg(
        long,
        value_name = "URL",
        env = "RECONCILER_HOST",
        hide_env = true,
        help = "Docker Engine, such as unix:///var/run/docker.sock, or `sim:` for a simulated one; `sim:FILE` keeps its state in a file"
    )]
    pub host: Option<String>,

    /// Where state is kept [default: /var/lib/reconciler as root, else the XDG state
    /// directory]
    #[arg(long, value_name = "DIR", env = "RECONCILER_STATE_DIR", hide_env = true)]
    pub state_dir: Option<PathBuf>,

    /// Form of the result on standard output
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        env = "RECONCILER_OUTPUT",
        hide_env = true,
        value_enum,
        default_value_t
    )]
    pub output: Format,

    /// When to use colour; `NO_COLOR` is honoured too
    #[arg(
        long,
        value_name = "WHEN",
        env = "RECONCILER_COLOR",
        hide_env = true,
        value_enum,
        default_value_t
    )]
    pub color: Color,

    /// Say more on standard error; twice for everything
    #[arg(
        short = 'v',
        long,
        env = "RECONCILER_VERBOSE",
        hide_env = true,
        action = ArgAction::Count
    )]
    pub verbose: u8,

    /// Accept desired-state and variable files that anybody may write to
    #[arg(
        long,
        env = "RECONCILER_INSECURE_PERMISSIONS",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub insecure_permissions: bool,

    /// The files of a commit, where the desired state comes from git.
    #[arg(skip)]
    pub checkout: Option<Checkout>,
}

/// Files that come from git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Where they are, whichever commit is in force.
    pub folder: PathBuf,
    /// Where they are read instead, while a commit is only looked at.
    pub staged: Option<PathBuf>,
    /// What `hosts/NAME/` has of this name is merged into the stacks.
    pub host_name: String,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines; the field names are a contract.
    Json,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Even into a pipe.
    Always,
    /// Not at all.
    Never,
}

impl Options {
    /// Joins the options before the command (`self`) with those after it.
    ///
    /// Lists are added up; of single values, the one after the command counts. What was
    /// not given on the command line comes from the environment or the defaults, which
    /// both sides know alike.
    ///
    /// # Errors
    /// Both name a source of the desired state, and it cannot be told which is meant.
    pub(super) fn joined(
        self,
        after: Self,
        matches: &ArgMatches,
    ) -> Result<Self, &'static str> {
        // A command may have commands of its own.
        let mut inner = matches.subcommand().map(|(_, inner)| inner);
        while let Some((_, deeper)) = inner.and_then(ArgMatches::subcommand) {
            inner = Some(deeper);
        }
        let given_before = |id: &str| is_given(matches, id);
        let given_after = |id: &str| inner.is_some_and(|inner| is_given(inner, id));
        let keep_before = |id: &str| given_before(id) && !given_after(id);
        macro_rules! one {
            ($field:ident) => {
                if keep_before(stringify!($field)) { self.$field } else { after.$field }
            };
        }
        macro_rules! all {
            ($field:ident) => {
                match (given_before(stringify!($field)), given_after(stringify!($field)))
                {
                    (true, true) => self.$field.into_iter().chain(after.$field).collect(),
                    (true, false) => self.$field,
                    (false, _) => after.$field,
                }
            };
        }
        let files = all!(files);
        let is_typed = given_before("files") || given_after("files");
        let is_meant = |id: &str| {
            let inner = inner.and_then(|inner| source(inner, id));
            [source(matches, id), inner]
                .into_iter()
                .flatten()
                .max_by_key(|it| weight(*it))
        };
        let git = match (is_meant("files").map(weight), is_meant("git").map(weight)) {
            (Some(files), Some(git)) if files > git => None,
            (Some(files), Some(git)) if files == git && files > 0 => {
                return Err("-f and --git both name a source of the desired state");
            }
            (_, _) => one!(git),
        };
        Ok(Self {
            config: one!(config),
            files: if is_typed { files } else { split_paths(&files) },
            git,
            path: one!(path),
            host_name: one!(host_name),
            env_files: all!(env_files),
            age_key_file: one!(age_key_file),
            project_name: one!(project_name),
            profiles: all!(profiles),
            host: one!(host),
            state_dir: one!(state_dir),
            output: one!(output),
            color: one!(color),
            verbose: match (given_before("verbose"), given_after("verbose")) {
                (true, true) => self.verbose.saturating_add(after.verbose),
                (true, false) => self.verbose,
                (false, _) => after.verbose,
            },
            insecure_permissions: self.insecure_permissions || after.insecure_permissions,
            checkout: None,
        })
    }

    /// Fills in what the variables of other tools say.
    #[must_use]
    pub(super) fn with_environment(
        mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let text = |name: &str| {
            variable(name)?.into_string().ok().filter(|value| !value.is_empty())
        };
        self.host = self.host.or_else(|| text("DOCKER_HOST"));
        self.project_name = self.project_name.or_else(|| text("COMPOSE_PROJECT_NAME"));
        self
    }
}

fn source(matches: &ArgMatches, id: &str) -> Option<ValueSource> {
    matches.value_source(id)
}

/// Tells how much a value counts by where it comes from.
const fn weight(source: ValueSource) -> u8 {
    match source {
        ValueSource::CommandLine => 2,
        ValueSource::EnvVariable => 1,
        ValueSource::DefaultValue | _ => 0,
    }
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    source(matches, id) == Some(ValueSource::CommandLine)
}

/// Splits what one variable lists, as `PATH` does.
fn split_paths(lists: &[PathBuf]) -> Vec<PathBuf> {
    lists.iter().flat_map(std::env::split_paths).collect()
}
