//! The anonymous volumes that containers of a corner were given. The product keeps them when
//! it removes a container, as it must; the tests may not.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bollard::query_parameters as query;
use futures_util::StreamExt;

use super::client;

/// Follows the creation of containers in the background, as long as the process lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Anonymous(Arc<Mutex<BTreeSet<String>>>);

impl Anonymous {
    /// Begins to follow the containers whose names begin with a prefix.
    pub(super) fn follow(prefix: &str) -> Self {
        let (found, prefix) = (Self::default(), prefix.to_owned());
        let theirs = found.clone();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(theirs.collect(&prefix));
        });
        found
    }

    async fn collect(&self, prefix: &str) {
        let only = |name: &str, word: &str| (name.to_owned(), vec![word.to_owned()]);
        let mut events = client().events(Some(query::EventsOptions {
            filters: Some([only("type", "container"), only("event", "create")].into()),
            ..Default::default()
        }));
        while let Some(Ok(event)) = events.next().await {
            let actor = event.actor.unwrap_or_default();
            let name =
                actor.attributes.unwrap_or_default().remove("name").unwrap_or_default();
            if let (true, Some(id)) = (name.starts_with(prefix), actor.id) {
                self.add(&id).await;
            }
        }
    }

    async fn add(&self, id: &str) {
        let options = None::<query::InspectContainerOptions>;
        let Ok(container) = client().inspect_container(id, options).await else { return };
        let names =
            container.mounts.unwrap_or_default().into_iter().filter_map(|it| it.name);
        let anonymous = names.filter(|name| {
            name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(anonymous);
    }

    /// Removes those that are still there; their containers are gone.
    pub(super) async fn remove(&self) {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for name in names {
            let options = None::<query::RemoveVolumeOptions>;
            client().remove_volume(&name, options).await.unwrap_or_default();
        }
    }
}
