//! A corner of the real engine that belongs to one test.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod raw;
pub(crate) mod registry;
pub(crate) mod stage;
mod volumes;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use bollard::Docker as Client;
use bollard::query_parameters as query;

/// The image that tests run: it has a shell and little else.
pub(crate) const IMAGE: &str = "lab/busybox:latest";

/// A name prefix of its own; everything that has it goes away with the value, also when
/// the test fails.
pub(crate) struct Corner {
    prefix: String,
    anonymous: volumes::Anonymous,
}

impl Corner {
    /// Makes a corner; nothing where there is no engine and none is required.
    pub(crate) async fn new(what: &str) -> Option<Self> {
        if let Err(error) = client().ping().await {
            assert!(!is_required(), "there is no Docker Engine here: {error}");
            skip(&format!("there is no Docker Engine here: {error}"));
            return None;
        }
        let mut random = [0; 4];
        File::open("/dev/urandom")
            .and_then(|mut file| file.read_exact(&mut random))
            .expect("four random bytes");
        let random = u32::from_ne_bytes(random);
        let prefix = format!("rtest-{what}-{random:08x}");
        Some(Self { anonymous: volumes::Anonymous::follow(&prefix), prefix })
    }

    /// Tells whether the engine has an image of the lab; a missing one fails the test where
    /// the engine is required.
    pub(crate) async fn has(&self, image: &str) -> bool {
        let Err(error) = client().inspect_image(image).await else { return true };
        let why = format!("{error}; `tests/lab/build` makes the images of the lab");
        assert!(!is_required(), "{why}");
        skip(&why);
        false
    }

    /// Returns a name within the corner.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Returns the name of the Compose project of the corner.
    pub(crate) fn project(&self) -> String {
        self.prefix.clone()
    }

    /// Takes away what a killed operator left beside its lock.
    fn clear_sockets(&self) {
        let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let own = own.map(|folder| folder.join("reconciler"));
        for folder in own.into_iter().chain([PathBuf::from("/run/reconciler")]) {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with(&self.prefix) {
                    std::fs::remove_file(entry.path()).unwrap_or_default();
                }
            }
        }
    }

    async fn clear(&self) {
        self.clear_sockets();
        let client = client();
        let all = query::ListContainersOptions { all: true, ..Default::default() };
        for container in client.list_containers(Some(all)).await.unwrap_or_default() {
            let names = container.names.unwrap_or_default();
            if names.iter().any(|name| name.contains(&self.prefix)) {
                let id = container.id.unwrap_or_default();
                let options =
                    query::RemoveContainerOptions { v: true, force: true, link: false };
                client.remove_container(&id, Some(options)).await.unwrap_or_default();
            }
        }
        let networks = client.list_networks(None::<query::ListNetworksOptions>).await;
        for name in networks.unwrap_or_default().into_iter().filter_map(|it| it.name) {
            if name.contains(&self.prefix) {
                client.remove_network(&name).await.unwrap_or_default();
            }
        }
        let images = client.list_images(None::<query::ListImagesOptions>).await;
        for tag in images.unwrap_or_default().into_iter().flat_map(|it| it.repo_tags) {
            if tag.contains(&self.prefix) {
                let options = None::<query::RemoveImageOptions>;
                client.remove_image(&tag, options, None).await.unwrap_or_default();
            }
        }
        self.anonymous.remove().await;
        let volumes = client.list_volumes(None::<query::ListVolumesOptions>).await;
        let volumes = volumes.ok().and_then(|it| it.volumes).unwrap_or_default();
        for name in volumes.into_iter().map(|it| it.name) {
            if name.contains(&self.prefix) {
                let options = None::<query::RemoveVolumeOptions>;
                client.remove_volume(&name, options).await.unwrap_or_default();
            }
        }
    }
}

fn is_required() -> bool {
    std::env::var_os("RECONCILER_REQUIRE_DOCKER").is_some_and(|it| it == "1")
}

#[expect(clippy::print_stderr, reason = "who runs the tests must know")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

impl Drop for Corner {
    fn drop(&mut self) {
        // The test's own runtime may be unwinding.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime")
                    .block_on(self.clear());
            });
        });
    }
}

/// Returns a client of the tests' own, so that they do not believe what they test.
pub(crate) fn client() -> Client {
    Client::connect_with_unix_defaults()
        .or_else(|_| Client::connect_with_http_defaults())
        .expect("a client")
}
