//! What an owner changes of an endpoint, written in one update that leaves everything else as it is.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;
use serde::Serialize;

use super::attribute::{text, time};
use super::endpoints::{change, not_found_or_aws};
use super::expression::Expression;
use super::{Store, endpoint_item};
use crate::Error;
use crate::domain::annotations::{Description, Metadata};
use crate::domain::endpoint::{Endpoint, Subscriptions};
use crate::domain::failure_record::Observation;
use crate::domain::id::{EndpointId, WorkspaceId};
use crate::domain::target::TargetUrl;

/// What an owner changes of an endpoint; `None` leaves a field as it is.
#[derive(Debug, Default)]
pub struct EndpointChange {
    /// Another url.
    pub url: Option<TargetUrl>,
    /// Other subscriptions.
    pub events: Option<Subscriptions>,
    /// Whether it receives anything. Enabling clears what this system remembers of its failures.
    pub enabled: Option<bool>,
    /// Another description, or none.
    pub description: Option<Description>,
    /// Other metadata, in place of all that there is.
    pub metadata: Option<Metadata>,
}

impl EndpointChange {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            url,
            events,
            enabled,
            description,
            metadata,
        } = self;
        url.is_none() && events.is_none() && enabled.is_none() && description.is_none() && metadata.is_none()
    }
}

/// An update while it is put together.
struct Parts {
    call: UpdateItemFluentBuilder,
    expression: Expression,
}

impl Store {
    /// Changes an endpoint and returns it as it is then.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the call failed.
    pub async fn change_endpoint(
        &self,
        workspace: &WorkspaceId,
        id: &EndpointId,
        wanted: EndpointChange,
        now: Timestamp,
    ) -> Result<Endpoint, Error> {
        let call = self.endpoint_update(workspace, id);
        let mut parts = Parts {
            call: call.expression_attribute_values(":now", time(now)),
            expression: Expression::new(&["updated_at = :now"], &[]),
        };
        if let Some(url) = wanted.url {
            parts = parts.with("#url = :url", ":url", text(&url.url()));
            parts.call = parts.call.expression_attribute_names("#url", "url");
        }
        if let Some(events) = wanted.events {
            parts = parts.with("events = :events", ":events", value(events)?);
        }
        if let Some(description) = wanted.description {
            parts = parts.described(&description);
        }
        if let Some(metadata) = wanted.metadata {
            parts = parts.with("metadata = :metadata", ":metadata", value(metadata)?);
        }
        if let Some(enabled) = wanted.enabled {
            parts = parts.switched(enabled);
        }
        let call = parts.call.update_expression(parts.expression.to_string());
        let answer = call.return_values(ReturnValue::AllNew).send().await;
        endpoint_item::from_item(answer.map_err(not_found_or_aws)?.attributes.unwrap_or_default())
    }
}

impl Parts {
    fn with(self, assignment: &'static str, name: &str, value: AttributeValue) -> Self {
        Self {
            call: self.call.expression_attribute_values(name, value),
            expression: self.expression.set(assignment),
        }
    }

    fn described(mut self, description: &Description) -> Self {
        if let Some(description) = description.text() {
            return self.with("description = :description", ":description", text(description));
        }
        self.expression = self.expression.remove("description");
        self
    }

    /// Whoever enables or disables it, this system's reason no longer holds.
    fn switched(self, enabled: bool) -> Self {
        let mut parts = self.with("enabled = :enabled", ":enabled", AttributeValue::Bool(enabled));
        parts.expression = parts.expression.and(switch(enabled));
        parts
    }
}

/// What goes with enabling or disabling an endpoint. One that is enabled or disabled already keeps the time that its item has;
/// an item of an older release has none, and gets this one.
fn switch(enabled: bool) -> Expression {
    if enabled {
        let expression = Expression::new(
            &["enabled_at = if_not_exists(enabled_at, :now)"],
            &["disabled_at", "disabled_reason"],
        );
        return expression.and(change(Observation::Enabling));
    }
    Expression::new(
        &["disabled_at = if_not_exists(disabled_at, :now)"],
        &["enabled_at", "disabled_reason"],
    )
}

fn value(value: impl Serialize) -> Result<AttributeValue, Error> {
    serde_dynamo::to_attribute_value(value).map_err(Error::unsendable("UpdateItem"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enabling_and_disabling_say_since_when_unless_it_is_so_already() {
        let on = switch(true).to_string();
        let off = switch(false).to_string();

        assert!(
            on.starts_with("SET enabled_at = if_not_exists(enabled_at, :now), healthy_since = "),
            "{on}"
        );
        assert!(
            on.contains("REMOVE disabled_at, disabled_reason, failing_since,"),
            "{on}"
        );
        assert_eq!(
            off,
            "SET disabled_at = if_not_exists(disabled_at, :now) REMOVE enabled_at, disabled_reason"
        );
    }
}
