//! Endpoints as they are in the table, where tests move time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::SuiteStack;

/// An endpoint's item.
pub async fn read(stack: &SuiteStack, workspace: &str, endpoint: &str) -> HashMap<String, AttributeValue> {
    let call = stack
        .dynamodb()
        .get_item()
        .table_name(&stack.tables["EndpointsTable"])
        .set_key(Some(key(workspace, endpoint)))
        .consistent_read(true);
    let answer = call.send().await.expect("the table answers");
    answer.item.expect("the endpoint")
}

/// Makes an endpoint look as if its attempts had failed since then.
pub async fn set_failing_since(stack: &SuiteStack, workspace: &str, endpoint: &str, since: Timestamp) {
    let since = AttributeValue::N(since.as_millisecond().to_string());
    let call = stack
        .dynamodb()
        .update_item()
        .table_name(&stack.tables["EndpointsTable"])
        .set_key(Some(key(workspace, endpoint)))
        .update_expression("SET failing_since = :since")
        .expression_attribute_values(":since", since);
    call.send().await.expect("the item is changed");
}

fn key(workspace: &str, endpoint: &str) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([
        ("workspace".to_owned(), text(workspace)),
        ("endpoint".to_owned(), text(endpoint)),
    ])
}
