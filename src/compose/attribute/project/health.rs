//! Health checks and restart policies.

use super::super::field::{Context, Default, Field, Form, field};
use crate::state::document::Document;
use crate::state::value::Value;

/// `healthcheck.test`.
pub const TEST: Field = field("Config.Healthcheck.Test").default(Default::Image);

/// `healthcheck.interval`.
pub const INTERVAL: Field =
    field("Config.Healthcheck.Interval").form(Form::Nanoseconds).default(Default::Image);

/// `healthcheck.timeout`.
pub const TIMEOUT: Field =
    field("Config.Healthcheck.Timeout").form(Form::Nanoseconds).default(Default::Image);

/// `healthcheck.start_period`.
pub const START_PERIOD: Field = field("Config.Healthcheck.StartPeriod")
    .form(Form::Nanoseconds)
    .default(Default::Image);

/// `healthcheck.start_interval`.
pub const START_INTERVAL: Field = field("Config.Healthcheck.StartInterval")
    .form(Form::Nanoseconds)
    .default(Default::Image);

/// `healthcheck.retries`.
pub const RETRIES: Field = field("Config.Healthcheck.Retries").default(Default::Image);

/// `restart`, `deploy.restart_policy.condition`.
pub const RESTART: Field = field("HostConfig.RestartPolicy.Name")
    .default(Default::Text("no"))
    .updates_any()
    .alike(|desired, observed| {
        let is_no = |value: &Value| value.is_zero() || value.as_text() == Some("no");
        is_no(desired) && is_no(observed)
    });

/// `restart: on-failure:N`, `deploy.restart_policy.max_attempts`.
pub const RESTART_ATTEMPTS: Field =
    field("HostConfig.RestartPolicy.MaximumRetryCount").updates_any();

/// `healthcheck.disable`.
pub fn disable(value: &Value, _: &Context<'_>, to: &mut Document) {
    if value.as_bool() == Some(true) {
        to.set("Config.Healthcheck.Test", Value::texts(["NONE"]));
    }
}

/// `restart`: `no`, `always`, `unless-stopped`, `on-failure[:N]`.
pub fn restart(value: &Value, _: &Context<'_>, to: &mut Document) {
    let text = value.as_text().unwrap_or("no");
    let (name, attempts) = text.split_once(':').unwrap_or((text, ""));
    to.set("HostConfig.RestartPolicy.Name", Value::text(name));
    if let Ok(attempts) = attempts.parse() {
        to.set("HostConfig.RestartPolicy.MaximumRetryCount", Value::Int(attempts));
    }
}

/// `deploy.restart_policy`: `none`, `on-failure` or `any`.
pub fn deploy_condition(value: &Value, _: &Context<'_>, to: &mut Document) {
    let name = match value.as_text() {
        Some("none") => "no",
        Some("on-failure") => "on-failure",
        Some(_) | None => "always",
    };
    to.set("HostConfig.RestartPolicy.Name", Value::text(name));
}
