//! How many batches of a queue a function handles at once, changed for the time of a test.

use aws_sdk_lambda::types::ScalingConfig;

use crate::support::aws;
use crate::support::queues::url;

/// Sets how many, and returns how many it was.
pub(crate) async fn set(function: &str, queue: &str, batches: i32) -> i32 {
    let lambda = aws::lambda();
    let mappings = lambda
        .list_event_source_mappings()
        .function_name(aws::function(function))
        .send()
        .await
        .expect("the function has event sources")
        .event_source_mappings
        .unwrap_or_default();
    let name = url(queue).rsplit('/').next().unwrap_or_default();
    let reads_it = |arn: Option<&str>| arn.and_then(|arn| arn.rsplit(':').next()) == Some(name);
    let mapping = mappings
        .into_iter()
        .find(|mapping| reads_it(mapping.event_source_arn()))
        .expect("the function reads the queue");
    let before = mapping
        .scaling_config
        .and_then(|config| config.maximum_concurrency);
    let scaling = ScalingConfig::builder().maximum_concurrency(batches).build();
    let update = lambda
        .update_event_source_mapping()
        .uuid(mapping.uuid.expect("a mapping has an id"))
        .scaling_config(scaling);
    update.send().await.expect("the mapping takes a number");
    before.expect("the template sets it")
}
