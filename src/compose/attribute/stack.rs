//! The keys of a stack: what stands at the top of a file.

use super::service::SERVICE;
use super::shape::{Missing, Shape, Short};
use super::{Attribute, Empty, Merge, networking, row, storage};

/// A whole file.
pub const ROOT: Shape = Shape::Keys(STACK);

/// The top-level keys.
pub const STACK: &[Attribute] = &[
    row("version", Shape::Word, "The version of an older file format.")
        .when_empty(Empty::Never)
        .ignored("it is obsolete and means nothing; the line can go"),
    row(
        "name",
        Shape::Text,
        "The name of the project, which begins every object's name.",
    ),
    row(
        "include",
        Shape::OneOrMore(&Shape::Short(Short::Include, INCLUDE)),
        "Other Compose files that are part of this stack.",
    )
    .merges(Merge::Append)
    .unsupported("other files are not included yet; name them all with `-f`"),
    row("services", Shape::Map(&SERVICE), "The services, by name."),
    row(
        "models",
        Shape::Map(&Shape::Keys(MODEL)),
        "Language models that the platform runs.",
    )
    .ignored("no models are run here; run the model as a service"),
    row(
        "networks",
        Shape::Map(&Shape::Keys(networking::NETWORK)),
        "The networks, by key.",
    ),
    row("volumes", Shape::Map(&Shape::Keys(storage::VOLUME)), "The volumes, by key."),
    row(
        "configs",
        Shape::Map(&Shape::Keys(CONFIG)),
        "Files that services may have, by key.",
    ),
    row(
        "secrets",
        Shape::Map(&Shape::Keys(SECRET)),
        "Secret files that services may have, by key.",
    ),
];

const INCLUDE: &[Attribute] = &[
    row("path", Shape::OneOrMore(&Shape::Text), "The files, merged in this order."),
    row(
        "env_file",
        Shape::OneOrMore(&Shape::Text),
        "Where the variables of these files come from.",
    ),
    row(
        "project_directory",
        Shape::Text,
        "The folder that relative paths of these files are against.",
    ),
];

const MODEL: &[Attribute] = &[
    row("name", Shape::Text, "The name on the platform."),
    row("model", Shape::Text, "The model."),
    row("context_size", Shape::Integer, "The size of the context, in tokens.")
        .when_empty(Empty::Written),
    row("runtime_flags", Shape::List(&Shape::Text), "What the inference engine is told.")
        .merges(Merge::Append),
];

/// What `external` may be besides true and false.
pub const EXTERNAL: &[Attribute] = &[row(
    "name",
    Shape::Text,
    "The name of the external thing; `name` beside `external` is the \
         newer form.",
)];

const CONFIG: &[Attribute] = &[
    row("name", Shape::Text, "The name on a platform that stores configs."),
    row("file", Shape::Text, "The file on the host that has the bytes."),
    row("content", Shape::Text, "The bytes themselves."),
    row("environment", Shape::Text, "The variable that has the bytes."),
    row(
        "external",
        Shape::Short(Short::External, EXTERNAL),
        "It is made by somebody else.",
    ),
    row(
        "labels",
        Shape::Pairs(Missing::Empty),
        "Labels on a platform that stores configs.",
    )
    .merges(Merge::Entries)
    .ignored("an engine without Swarm keeps no configs, so there is nothing to label"),
    row("template_driver", Shape::Text, "What expands templates in it.").ignored(
        "an engine without Swarm expands no templates; the bytes are taken as \
         they are",
    ),
];

const SECRET: &[Attribute] = &[
    row("name", Shape::Text, "The name on a platform that stores secrets."),
    row("file", Shape::Text, "The file on the host that has the bytes."),
    row("environment", Shape::Text, "The variable that has the bytes."),
    row(
        "external",
        Shape::Short(Short::External, EXTERNAL),
        "It is made by somebody else.",
    ),
    row(
        "labels",
        Shape::Pairs(Missing::Empty),
        "Labels on a platform that stores secrets.",
    )
    .merges(Merge::Entries)
    .ignored("an engine without Swarm keeps no secrets, so there is nothing to label"),
    row("driver", Shape::Text, "Where the platform keeps it.").ignored(
        "an engine without Swarm has no secret drivers; give `file` or \
         `environment`",
    ),
    row("driver_opts", Shape::Map(&Shape::Word), "What the driver is told.")
        .merges(Merge::Entries)
        .ignored("an engine without Swarm has no secret drivers"),
    row("template_driver", Shape::Text, "What expands templates in it.").ignored(
        "an engine without Swarm expands no templates; the bytes are taken as \
         they are",
    ),
];
