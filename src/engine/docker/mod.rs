//! The Docker Engine, over its socket: the only room that names bollard.
