//! What is answered over HTTP: the JSON of the commands, and metrics.

use crate::board::Board;
use crate::cli::process;
use crate::notify::Notifier;
use crate::serve::api::{Api, MetricsForm, Question};
use crate::state::time::Now;
use crate::store::Store;
use crate::view::events::StackEvents;
use crate::view::metrics::{Form, Measures, StackMeasures};
use crate::view::plan::StackPlan;
use crate::view::{events, history, json, metrics};

use super::history::history_of;

/// Whoever answers from what the operators have put up.
#[derive(Debug)]
pub(super) struct Answering {
    store: Store,
    board: Board,
    notifier: Notifier,
}

impl Answering {
    pub(super) const fn new(store: Store, board: Board, notifier: Notifier) -> Self {
        Self { store, board, notifier }
    }

    fn metrics(&self, form: MetricsForm) -> String {
        let posts = self.board.posts();
        let stacks = posts.iter().map(|(name, post)| StackMeasures {
            name,
            last: post
                .last
                .as_ref()
                .map(|(found, now)| (&found.plan, &found.status, now.engine)),
            tally: &post.tally,
            is_seen: post.last.is_some() && post.blind.is_none(),
        });
        let measures = Measures {
            version: env!("CARGO_PKG_VERSION"),
            stacks: stacks.collect(),
            calls: &self.board.meter.read(),
            git: self.board.git(),
            deliveries: self.notifier.deliveries(),
            process: process::read(),
        };
        let form = match form {
            MetricsForm::Prometheus => Form::Prometheus,
            MetricsForm::OpenMetrics => Form::OpenMetrics,
        };
        metrics::drawn(&measures, form)
    }

    fn status(&self) -> Result<String, String> {
        self.board.readiness()?;
        let posts = self.board.posts();
        let found = posts.values().filter_map(|post| post.last.as_ref());
        let all: Vec<_> = found.map(|(found, _)| found.status.clone()).collect();
        pretty(json::pretty(&json::status(&all)))
    }

    fn diff(&self) -> Result<String, String> {
        self.board.readiness()?;
        let posts = self.board.posts();
        let plans: Vec<StackPlan<'_>> = posts
            .iter()
            .filter_map(|(project, post)| {
                let (found, _) = post.last.as_ref()?;
                let generation = &found.status.generation;
                Some(StackPlan { project, generation, plan: &found.plan })
            })
            .collect();
        let times = posts.values().filter_map(|post| Some(post.last.as_ref()?.1));
        let newest = times.max_by_key(|it: &Now| it.moment);
        let Some(newest) = newest else {
            let none: Vec<()> = Vec::new();
            return pretty(json::pretty(&json::Stacks { stacks: none }));
        };
        pretty(json::pretty(&json::diff(&plans, newest)))
    }

    fn events(&self) -> Result<String, String> {
        let posts = self.board.posts().into_iter();
        let happened = posts.map(|(name, post)| {
            let events = post.events.to_vec();
            StackEvents { name, events }
        });
        pretty(json::pretty(&events::json(&happened.collect::<Vec<_>>())))
    }

    fn history(&self) -> Result<String, String> {
        let posts = self.board.posts();
        let is_pinned = |name| {
            let last = posts.get(name).and_then(|post| post.last.as_ref());
            last.is_some_and(|(found, _)| {
                found.status.conditions.iter().any(|it| it.kind == "Pinned")
            })
        };
        let files = self.board.files();
        let histories = files.iter().map(|(name, files)| {
            let all = self.store.revisions(files).map_err(|error| {
                tracing::warn!(%error, "the history of {name} cannot be told");
                format!("the history of {name} cannot be read; the log says why")
            })?;
            Ok(history_of(&self.store, files, name, all, is_pinned(name)))
        });
        let histories = histories.collect::<Result<Vec<_>, String>>()?;
        pretty(json::pretty(&history::json(&histories)))
    }
}

impl Api for Answering {
    fn readiness(&self) -> Result<(), String> {
        self.board.readiness()
    }

    fn answer(&self, question: Question) -> Result<String, String> {
        match question {
            Question::Metrics(form) => Ok(self.metrics(form)),
            Question::Status => self.status(),
            Question::Diff => self.diff(),
            Question::Events => self.events(),
            Question::History => self.history(),
        }
    }
}

fn pretty(text: serde_json::Result<String>) -> Result<String, String> {
    text.map_err(|error| error.to_string())
}
