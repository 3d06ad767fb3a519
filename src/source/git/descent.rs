//! Whether one commit came after another.

use super::cache::{Cache, Fault};
use super::error::GitError;
use crate::state::commit::CommitId;

/// How many commits are fetched beside the tip, where it is to be compared: more than a team
/// pushes between two looks.
pub(super) const FIRST_DEPTH: u32 = 50;
/// How many are fetched where that is not enough; the last bounds what is fetched and kept.
const DEPTHS: [u32; 2] = [500, 5000];

/// How a newer commit relates to an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descent {
    /// It is the same.
    Same,
    /// The older one is among those before it.
    Descends,
    /// It is not: history was rewritten, or the newer one is the older one.
    Rewound,
    /// It is not among the last 5,000.
    Unknown,
}

impl Cache {
    /// Tells whether a commit that was fetched came after another one. As much of the
    /// history is fetched as it takes.
    ///
    /// # Errors
    /// The server cannot be reached, or the disk is full.
    pub async fn descent(
        &self,
        newer: &CommitId,
        older: &CommitId,
    ) -> Result<Descent, GitError> {
        if newer == older {
            return Ok(Descent::Same);
        }
        let _kept = self.kept.lock().await;
        self.check().await?;
        match self.descent_once(newer, older).await {
            Err(fault @ Fault::Spoilt { .. }) => {
                self.mend(fault, newer).await?;
                Ok(self.descent_once(newer, older).await?)
            }
            other => Ok(other?),
        }
    }

    async fn descent_once(
        &self,
        newer: &CommitId,
        older: &CommitId,
    ) -> Result<Descent, Fault> {
        for depth in DEPTHS {
            if let Some(known) = self.known_descent(newer, older).await? {
                return Ok(known);
            }
            self.bring(&self.remote.reference.full(), depth).await?;
        }
        Ok(self.known_descent(newer, older).await?.unwrap_or(Descent::Unknown))
    }

    /// Answers from what is in the cache, where that is enough.
    async fn known_descent(
        &self,
        newer: &CommitId,
        older: &CommitId,
    ) -> Result<Option<Descent>, Fault> {
        let mut arguments = vec!["rev-list", newer.as_str()];
        let parents = self.parents(older).await?;
        let bounds: Vec<String> =
            parents.iter().map(|id| format!("^{}", id.as_str())).collect();
        arguments.extend(bounds.iter().map(String::as_str));
        let between = self.local("reading the history", &arguments).await?;
        let between = String::from_utf8_lossy(&between);
        if between.lines().any(|id| id == older.as_str()) {
            return Ok(Some(Descent::Descends));
        }
        let shallow = std::fs::read_to_string(self.folder.join("shallow"));
        let shallow = shallow.unwrap_or_default();
        let is_cut = between.lines().any(|id| shallow.lines().any(|cut| cut == id));
        // What lies beyond a cut could hold the older one. Where all ends in its parents it
        // does not: they are before it.
        Ok(if is_cut { None } else { Some(Descent::Rewound) })
    }

    /// Returns the parents of a commit that are in the cache; none where it is not.
    async fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, Fault> {
        // Its own words: where history is cut the walk knows of no parents.
        let object = self.call(&["cat-file", "commit", commit.as_str()]).await?;
        let object = String::from_utf8_lossy(&object.output).into_owned();
        let named = object
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| CommitId::parse(line.strip_prefix("parent ")?).ok());
        let mut parents = Vec::new();
        for parent in named {
            if self.has(&parent).await? {
                parents.push(parent);
            }
        }
        Ok(parents)
    }
}
