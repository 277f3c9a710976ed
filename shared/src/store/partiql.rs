//! Conditional writes, many in one call. `BatchWriteItem` has no conditions and `TransactWriteItems` costs twice the
//! write units; a call with many `PartiQL` statements checks each item's condition at the ordinary price, in one call.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementErrorCodeEnum as Code, BatchStatementRequest};

use super::attribute::{Fields, Item};
use crate::Error;

/// Most statements of a call (DynamoDB quota).
pub const MAX_STATEMENTS: usize = 25;

/// Most bytes of a call that this module puts together, far below DynamoDB's 16 MB.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// One conditional write.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    text: String,
    parameters: Vec<AttributeValue>,
    bytes: usize,
}

/// What became of a statement.
#[derive(Debug)]
pub(super) enum Execution {
    /// It is written.
    Done,
    /// It is not, because its condition does not hold: the item exists, or it does not, or it is another.
    ConditionFailed,
    /// It is not for now, or nobody knows: it is throttled, or its call failed. To be tried again.
    Open(Error),
    /// It never will be.
    Failed(Error),
}

impl Statement {
    /// Writes an item that must not exist.
    pub(super) fn insert(table: &str, mut fields: Fields) -> Self {
        let bytes = fields.iter().map(|(_, value)| size(value)).sum();
        fields.sort_unstable_by_key(|(name, _)| *name);
        let mut text = format!("INSERT INTO \"{table}\" VALUE {{");
        let mut parameters = Vec::with_capacity(fields.len());
        let mut before = "'";
        for (name, value) in fields {
            text.extend([before, name, "': ?"]);
            parameters.push(value);
            before = ", '";
        }
        text.push('}');
        Self {
            text,
            parameters,
            bytes,
        }
    }

    /// Changes attributes of an item that must exist and have the attributes of `condition`, the key among them, and none
    /// that is `missing` (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-functions.missing.html>).
    pub(super) fn update(table: &str, condition: Item, missing: &[&str], set: Item, remove: &[&str]) -> Self {
        let bytes = set.values().chain(condition.values()).map(size).sum();
        let mut text = format!("UPDATE \"{table}\"");
        let mut parameters = Vec::new();
        for (name, value) in by_name(set) {
            text.extend([" SET \"", &name, "\" = ?"]);
            parameters.push(value);
        }
        for name in remove {
            text.extend([" REMOVE \"", name, "\""]);
        }
        let mut keyword = "WHERE";
        for (name, value) in by_name(condition) {
            text.extend([" ", keyword, " \"", &name, "\" = ?"]);
            parameters.push(value);
            keyword = "AND";
        }
        for name in missing {
            text.extend([" AND \"", name, "\" IS MISSING"]);
        }
        Self {
            text,
            parameters,
            bytes,
        }
    }

    fn request(self) -> Result<BatchStatementRequest, Error> {
        BatchStatementRequest::builder()
            .statement(self.text)
            .set_parameters(Some(self.parameters))
            .build()
            .map_err(Error::unsendable("BatchExecuteStatement"))
    }
}

/// Runs the statements once; the executions are in their order. No two may concern the same item.
pub(super) async fn run(client: &Client, mut statements: Vec<Statement>) -> Vec<Execution> {
    let mut executions = Vec::with_capacity(statements.len());
    while !statements.is_empty() {
        let behind = statements.split_off(chunk_length(&statements));
        executions.extend(run_chunk(client, statements).await);
        statements = behind;
    }
    executions
}

/// Runs one statement once.
pub(super) async fn run_one(client: &Client, statement: Statement) -> Execution {
    let unanswered = Execution::Open(Error::LeftUndone("BatchExecuteStatement"));
    run(client, vec![statement]).await.pop().unwrap_or(unanswered)
}

fn chunk_length(statements: &[Statement]) -> usize {
    let mut bytes = 0;
    let fitting = statements.iter().take(MAX_STATEMENTS).take_while(|statement| {
        bytes += statement.bytes;
        bytes <= MAX_BYTES
    });
    fitting.count().max(1)
}

/// One call. What is throttled comes back open, and so does everything if the call fails for now.
async fn run_chunk(client: &Client, chunk: Vec<Statement>) -> Vec<Execution> {
    let length = chunk.len();
    let every = |execution: fn(Error) -> Execution, error: &Error| {
        let executions = std::iter::repeat_with(|| execution(error.again()));
        executions.take(length).collect()
    };
    let executions = match call(client, chunk).await {
        Ok(executions) => executions,
        Err((error, Lasting::Yes)) => return every(Execution::Failed, &error),
        Err((error, Lasting::No)) => return every(Execution::Open, &error),
    };
    let unanswered = || Execution::Open(Error::LeftUndone("BatchExecuteStatement"));
    let missing = length.saturating_sub(executions.len());
    executions
        .into_iter()
        .chain(std::iter::repeat_with(unanswered).take(missing))
        .collect()
}

/// Whether a call would fail again.
#[derive(Debug, PartialEq, Eq)]
enum Lasting {
    /// A right is missing, say.
    Yes,
    /// It was throttled, or lost.
    No,
}

async fn call(client: &Client, statements: Vec<Statement>) -> Result<Vec<Execution>, (Error, Lasting)> {
    let requests: Result<Vec<_>, Error> = statements.into_iter().map(Statement::request).collect();
    let requests = requests.map_err(|error| (error, Lasting::Yes))?;
    let call = client.batch_execute_statement().set_statements(Some(requests));
    let answer = call.send().await.map_err(|error| {
        let lasting = lasting(&error);
        (Error::aws("BatchExecuteStatement")(error), lasting)
    })?;
    let executions = answer.responses.unwrap_or_default().into_iter().map(|response| {
        let Some(error) = response.error else {
            return Execution::Done;
        };
        let text = format!("{:?}: {}", error.code(), error.message().unwrap_or_default());
        let text = Error::aws("BatchExecuteStatement")(text);
        match error.code() {
            Some(Code::DuplicateItem | Code::ConditionalCheckFailed) => Execution::ConditionFailed,
            Some(
                Code::InternalServerError
                | Code::ProvisionedThroughputExceeded
                | Code::RequestLimitExceeded
                | Code::ThrottlingError
                | Code::TransactionConflict,
            ) => Execution::Open(text),
            _ => Execution::Failed(text),
        }
    });
    Ok(executions.collect())
}

fn lasting<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Lasting {
    let Some(refusal) = error.as_service_error() else {
        return Lasting::No;
    };
    let status = error
        .raw_response()
        .map_or(0, |response| response.status().as_u16());
    refused(refusal.code().unwrap_or_default(), status)
}

/// What the service refuses, it refuses again, unless it throttles or the fault is its own
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
fn refused(code: &str, status: u16) -> Lasting {
    let throttles = ["Throttl", "ThroughputExceeded", "LimitExceeded"];
    if status >= 500 || throttles.iter().any(|word| code.contains(word)) {
        return Lasting::No;
    }
    Lasting::Yes
}

/// The attributes in the order of their names, so that writing the same attributes always is the same text.
fn by_name(item: Item) -> Vec<(String, AttributeValue)> {
    let mut attributes: Vec<_> = item.into_iter().collect();
    attributes.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    attributes
}

/// Roughly how many bytes a value takes in a request.
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::L(list) => list.iter().map(size).sum(),
        AttributeValue::M(map) => map.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::super::attribute::{key, text};
    use super::*;

    fn fields<const N: usize>(fields: [(&'static str, &str); N]) -> Fields {
        fields.map(|(name, value)| (name, text(value))).into()
    }

    #[test]
    fn an_insert_names_every_attribute_once_in_an_order_that_is_always_the_same() {
        let statement = Statement::insert("t", fields([("c", "3"), ("a", "1"), ("b", "2")]));

        assert_eq!(statement.text, "INSERT INTO \"t\" VALUE {'a': ?, 'b': ?, 'c': ?}");
        assert_eq!(statement.parameters, vec![text("1"), text("2"), text("3")]);
    }

    #[test]
    fn an_update_has_its_parameters_in_the_order_of_its_text() {
        let statement = Statement::update(
            "t",
            key([("k", "1"), ("j", "0")]),
            &["l"],
            key([("b", "3"), ("a", "2")]),
            &["c"],
        );

        assert_eq!(
            statement.text,
            "UPDATE \"t\" SET \"a\" = ? SET \"b\" = ? REMOVE \"c\" WHERE \"j\" = ? AND \"k\" = ? AND \"l\" IS MISSING"
        );
        assert_eq!(
            statement.parameters,
            vec![text("2"), text("3"), text("0"), text("1")]
        );
    }

    #[test]
    fn only_throttles_and_faults_of_the_service_are_worth_another_try() {
        for code in [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
        ] {
            assert_eq!(refused(code, 400), Lasting::No, "{code}");
        }
        assert_eq!(refused("InternalServerError", 500), Lasting::No);
        for code in [
            "AccessDeniedException",
            "ValidationException",
            "ResourceNotFoundException",
        ] {
            assert_eq!(refused(code, 400), Lasting::Yes, "{code}");
        }
    }

    #[test]
    fn a_chunk_keeps_to_the_quotas_and_never_is_empty() {
        let small = Statement::insert("t", fields([("a", "1")]));
        let mut large = small.clone();
        large.bytes = MAX_BYTES + 1;

        assert_eq!(chunk_length(&vec![small.clone(); 60]), MAX_STATEMENTS);
        assert_eq!(chunk_length(&[large.clone(), small.clone()]), 1);
        assert_eq!(chunk_length(&[small, large]), 1);
    }
}
