//! Which image a service runs, and where it comes from.

use super::field::{Default, field};
use super::shape::{Missing, Shape, Short};
use super::{Attribute, Empty, Merge, row};

/// Image, build and what becomes of a service as a whole.
pub const IMAGE: &[Attribute] = &[
    row("image", Shape::Text, "The image that the containers are made from.")
        .is_field(&[field("Config.Image").default(Default::Any).alike(|_, _| true)]),
    row("platform", Shape::Text, "The platform of the image, as `os/arch[/variant]`."),
    row(
        "pull_policy",
        Shape::PullPolicy,
        "When the image is pulled: `always`, `never` or `missing`.",
    ),
    row(
        "pull_refresh_after",
        Shape::Text,
        "How old an image may become before it is pulled again.",
    )
    .ignored(
        "images are not pulled by age; `pull_policy: always` pulls once per \
         change of the file",
    ),
    row("build", Shape::Short(Short::BuildContext, BUILD), "How the image is built.")
        .ignored("images are not built here; build it first and name it with `image`"),
    row("container_name", Shape::Text, "The fixed name of the one container."),
    row(
        "profiles",
        Shape::List(&Shape::Text),
        "The profiles that the service belongs to; none means always.",
    )
    .merges(Merge::Unique(&[])),
    row("scale", Shape::Integer, "How many containers there are.")
        .when_empty(Empty::Written),
    row(
        "extends",
        Shape::Short(Short::Extends, EXTENDS),
        "Another service that this one begins with.",
    )
    .unsupported(
        "services cannot extend others yet; write the attributes out, or \
         share them with a YAML anchor",
    ),
    row("develop", Shape::Any, "What `docker compose watch` does with changed sources.")
        .ignored(
            "it is for `docker compose watch`; nothing is synchronised or rebuilt \
         here",
        ),
    row("attach", Shape::Boolean, "Whether `docker compose up` shows the output.")
        .when_empty(Empty::Written)
        .ignored(
            "it is for `docker compose up` in the foreground and means nothing here",
        ),
    row(
        "provider",
        Shape::Any,
        "A program that provides the service in place of a container.",
    )
    .unsupported("services of a provider are not supported; only containers are"),
    row(
        "models",
        Shape::Named(&Shape::Keys(SERVICE_MODEL)),
        "The language models that the service uses.",
    )
    .ignored("no models are run here, so their variables are not set"),
    row(
        "use_api_socket",
        Shape::Boolean,
        "Whether the container may talk to the engine.",
    )
    .ignored(
        "the engine's socket and credentials are not lent; mount the socket \
         under `volumes` if you must",
    ),
];

const EXTENDS: &[Attribute] = &[
    row("service", Shape::Text, "The service to begin with."),
    row("file", Shape::Text, "The file that it is in."),
];

const SERVICE_MODEL: &[Attribute] = &[
    row("endpoint_var", Shape::Text, "The variable that gets the address of the model."),
    row("model_var", Shape::Text, "The variable that gets the name of the model."),
];

const BUILD: &[Attribute] = &[
    row("context", Shape::Text, "The folder or address with the sources."),
    row("dockerfile", Shape::Text, "The Dockerfile."),
    row("dockerfile_inline", Shape::Text, "The content of the Dockerfile."),
    row(
        "entitlements",
        Shape::List(&Shape::Text),
        "What the build is allowed beyond the usual.",
    )
    .merges(Merge::Append),
    row("args", Shape::Pairs(Missing::Null), "The build arguments.")
        .merges(Merge::Entries),
    row("ssh", Shape::Pairs(Missing::Null), "The SSH keys that the build may use.")
        .merges(Merge::Entries),
    row("labels", Shape::Pairs(Missing::Empty), "The labels of the image.")
        .merges(Merge::Entries),
    row("cache_from", Shape::List(&Shape::Text), "Where cached layers come from.")
        .merges(Merge::Append),
    row("cache_to", Shape::List(&Shape::Text), "Where cached layers go to.")
        .merges(Merge::Append),
    row("no_cache", Shape::Boolean, "Whether no cached layer is used."),
    row(
        "no_cache_filter",
        Shape::OneOrMore(&Shape::Text),
        "The stages that use no cached layer.",
    )
    .merges(Merge::Append),
    row("additional_contexts", Shape::Pairs(Missing::Empty), "More named contexts.")
        .merges(Merge::Entries),
    row("network", Shape::Text, "The network of the build."),
    row("provenance", Shape::Any, "The provenance attestation."),
    row("sbom", Shape::Any, "The attestation of what is in the image."),
    row("pull", Shape::Boolean, "Whether base images are pulled."),
    row("target", Shape::Text, "The stage to build."),
    row("shm_size", Shape::Bytes, "The size of `/dev/shm` during the build."),
    row("extra_hosts", Shape::ExtraHosts, "More host names during the build.")
        .merges(Merge::Append),
    row("isolation", Shape::Text, "The isolation of the build."),
    row("privileged", Shape::Boolean, "Whether the build is privileged."),
    row(
        "secrets",
        Shape::List(&Shape::Short(Short::Config, super::storage::FILE_REFERENCE)),
        "The secrets that the build may read.",
    )
    .merges(Merge::Append),
    row("tags", Shape::List(&Shape::Text), "More names of the image.")
        .merges(Merge::Unique(&[])),
    row(
        "ulimits",
        Shape::Map(&Shape::IntegerOr(super::resources::ULIMIT)),
        "The resource limits of the build.",
    )
    .merges(Merge::Entries),
    row("platforms", Shape::List(&Shape::Text), "The platforms to build for.")
        .merges(Merge::Append),
];
