//! Names and identities, each with a type of its own.

use std::fmt;

/// Defines a newtype over text with the conversions that every name needs.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text that the caller vouches for.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_type!(
    /// The Compose project name: the identity of a stack on its engine.
    ProjectName
);
text_type!(
    /// The key of a service in the desired-state file.
    ServiceName
);
text_type!(
    /// The key of a network in the desired-state file.
    NetworkKey
);
text_type!(
    /// The name of a check of a stack.
    CheckName
);
text_type!(
    /// The key of a volume in the desired-state file.
    VolumeKey
);
text_type!(
    /// The name of a container on the engine, without the leading slash.
    ContainerName
);
text_type!(
    /// The engine's full id of a container.
    ContainerId
);
text_type!(
    /// The name of a network on the engine.
    NetworkName
);
text_type!(
    /// The engine's full id of a network.
    NetworkId
);
text_type!(
    /// The name of a volume on the engine.
    VolumeName
);
text_type!(
    /// An image as the file names it, such as `quay.io/coreos/etcd:v3.5.25`.
    ImageReference
);
text_type!(
    /// The content-addressed id of a local image, `sha256:…`.
    ImageId
);
text_type!(
    /// The digest of a stack's meaning, `sha256:…`: comments and key order do not move it.
    Generation
);
text_type!(
    /// The digest of one service as it would be created, `sha256:…`.
    SpecHash
);
text_type!(
    /// The desired-state source that made a container: the absolute path of its first file.
    SourceId
);

impl ContainerId {
    /// Returns the first 12 characters, which the engine uses as host name and alias.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// One instance of a service, numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replica {
    /// The service.
    pub service: ServiceName,
    /// The number, from 1.
    pub number: u32,
}

/// A thing that is converged, in the spelling of the JSON contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A network of the stack.
    Network(NetworkKey),
    /// A volume of the stack.
    Volume(VolumeKey),
    /// One container of a service.
    Service(Replica),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(key) => write!(f, "network/{key}"),
            Self::Volume(key) => write!(f, "volume/{key}"),
            Self::Service(Replica { service, number }) => {
                write!(f, "service/{service}/{number}")
            }
        }
    }
}

impl std::str::FromStr for Object {
    type Err = NoObject;

    /// Reads the spelling of [`Object`]'s `Display`.
    fn from_str(text: &str) -> Result<Self, NoObject> {
        let no_object = || NoObject(text.to_owned());
        let (kind, name) = text.split_once('/').ok_or_else(no_object)?;
        match kind {
            "network" => Ok(Self::Network(name.into())),
            "volume" => Ok(Self::Volume(name.into())),
            "service" => {
                let (service, number) = name.rsplit_once('/').ok_or_else(no_object)?;
                let number = number.parse().map_err(|_| no_object())?;
                Ok(Self::Service(Replica { service: service.into(), number }))
            }
            _ => Err(no_object()),
        }
    }
}

/// A text that names no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no object: those are service/NAME/NUMBER, network/KEY and volume/KEY")]
pub struct NoObject(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_it_is_printed() {
        for text in ["service/web.db/2", "network/default", "volume/data"] {
            assert_eq!(text.parse::<Object>().unwrap().to_string(), text);
        }
        for text in ["", "web", "service/web", "service/web/x", "pod/web/1"] {
            assert!(text.parse::<Object>().is_err(), "{text}");
        }
    }
}
