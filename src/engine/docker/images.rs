//! Local images: by reference anew each time, by id from memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::convert;
use super::error::CallError;
use super::wire::{Wire, encoded};
use crate::state::ids::ImageId;
use crate::state::observed::Image;

/// The images that were inspected by id: their content cannot change. It is emptied when
/// something happened to any image, because one of them may be gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Images(Arc<Mutex<BTreeMap<ImageId, Image>>>);

impl Images {
    /// Forgets everything.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Looks an image up by its id, in memory first.
    pub(super) async fn by_id(
        &self,
        wire: &Wire,
        id: &ImageId,
    ) -> Result<Option<Image>, CallError> {
        if let Some(image) = self.remembered(id) {
            return Ok(Some(image));
        }
        let image = by_reference(wire, id.as_str()).await?;
        if let Some(image) = &image {
            let mut images = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            images.insert(id.clone(), image.clone());
        }
        Ok(image)
    }

    fn remembered(&self, id: &ImageId) -> Option<Image> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

/// Asks the engine for an image; nothing when it does not have it.
pub(super) async fn by_reference(
    wire: &Wire,
    reference: &str,
) -> Result<Option<Image>, CallError> {
    match wire.get(&format!("/images/{}/json", encoded(reference))).await {
        Ok(json) => convert::image(&json).map(Some),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
