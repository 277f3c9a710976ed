//! How many batches of a queue a function handles at once.

use anyhow::{Context, Result};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, ScalingConfig};
use local::{StackState, aws_config};

/// Sets how many, for a function and a queue as the template names them.
pub(super) async fn set(state: &StackState, function: &str, queue: &str, batches: i32) -> Result<()> {
    let lambda = Client::new(&aws_config(state));
    let name = state.functions.get(function);
    let name = name.with_context(|| format!("the template has no {function}"))?;
    let call = lambda.list_event_source_mappings().function_name(name);
    let mappings = call.send().await?.event_source_mappings.unwrap_or_default();
    let url = state.queues.get(queue).map(String::as_str).unwrap_or_default();
    let mapping = mappings
        .iter()
        .find(|mapping| reads(mapping, url))
        .with_context(|| format!("{function} does not read {queue}"))?;
    let scaling = ScalingConfig::builder().maximum_concurrency(batches).build();
    let update = lambda
        .update_event_source_mapping()
        .set_uuid(mapping.uuid.clone())
        .scaling_config(scaling);
    update.send().await?;
    Ok(())
}

/// Whether an event source reads the queue with this url: both end with the queue's name.
fn reads(mapping: &EventSourceMappingConfiguration, url: &str) -> bool {
    let arn = mapping.event_source_arn().unwrap_or_default();
    arn.rsplit(':').next() == url.rsplit('/').next()
}
