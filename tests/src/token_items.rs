//! Tokens and links as they are in their table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::SuiteStack;

/// The items of a workspace's tokens, and of its links.
pub async fn of_workspace(stack: &SuiteStack, workspace: &str) -> Vec<HashMap<String, AttributeValue>> {
    let scan = stack
        .dynamodb()
        .scan()
        .table_name(&stack.tables["TokensTable"])
        .consistent_read(true)
        .filter_expression("workspace = :workspace")
        .expression_attribute_values(":workspace", AttributeValue::S(workspace.to_owned()));
    let items = scan.into_paginator().items().send().collect::<Result<_, _>>();
    items.await.expect("the table answers")
}

/// Makes a link look as if its time had passed.
pub async fn let_link_expire(stack: &SuiteStack, token_id: &str) {
    let past = AttributeValue::N(Timestamp::now().as_millisecond().to_string());
    let call = stack
        .dynamodb()
        .update_item()
        .table_name(&stack.tables["TokensTable"])
        .key("token_hash", AttributeValue::S(token_id.to_owned()))
        .condition_expression("attribute_exists(link_expires_at)")
        .update_expression("SET link_expires_at = :past")
        .expression_attribute_values(":past", past);
    call.send().await.expect("the item is changed");
}
