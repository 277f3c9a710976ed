//! `deploy/deployer-policy.json` against what `CloudFormation` says that it needs to create, change and delete
//! resources of each type: its schemas have it under `handlers`, and cfn-lint, which comes with the SAM CLI, brings them.
//! <https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html>.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use tests::repository;
use tests::template::Template;

const POLICY: &str = "deploy/deployer-policy.json";

/// Prints the actions that `CloudFormation` needs, by the type of the resource.
const PERMISSIONS: &str = "
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
def permissions(kind):
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema('us-east-1', kind).schema['handlers']
    return sorted({action for name, handler in handlers.items() if name != 'list' for action in handler['permissions']})
print(json.dumps({kind: permissions(kind) for kind in sys.argv[1:]}))
";

/// What SAM makes of its own types.
const SERVERLESS: [(&str, &[&str]); 2] = [
    (
        "AWS::Serverless::Function",
        &[
            "AWS::Lambda::EventSourceMapping",
            "AWS::Lambda::Function",
            "AWS::Lambda::Permission",
        ],
    ),
    (
        "AWS::Serverless::HttpApi",
        &["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"],
    ),
];

/// What only properties need that the template does not have.
const NOT_NEEDED: [(&str, &[&str]); 9] = [
    (
        "a policy of users or groups",
        &[
            "iam:AttachGroupPolicy",
            "iam:AttachUserPolicy",
            "iam:DetachGroupPolicy",
            "iam:DetachUserPolicy",
        ],
    ),
    (
        "a VPC or a file system",
        &["ec2:*", "elasticfilesystem:*", "s3files:*"],
    ),
    ("a key of KMS", &["kms:*"]),
    (
        "code that is signed, layers and capacity providers",
        &[
            "lambda:GetCodeSigningConfig",
            "lambda:GetLayerVersion",
            "lambda:PassCapacityProvider",
        ],
    ),
    (
        "streams to Kinesis",
        &[
            "kinesis:*",
            "dynamodb:EnableKinesis*",
            "dynamodb:DisableKinesis*",
            "dynamodb:UpdateKinesis*",
        ],
    ),
    (
        "an import of a table",
        &[
            "dynamodb:DescribeImport",
            "dynamodb:ImportTable",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        ],
    ),
    (
        "replicas of a table, to which items are copied",
        &[
            "dynamodb:AssociateTableReplica",
            "dynamodb:BatchWriteItem",
            "dynamodb:CreateTableReplica",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
        ],
    ),
    ("logs that go to Firehose", &["firehose:*"]),
    ("objects outside the bucket that SAM uploads to", &["s3:*"]),
];

/// Of a managed policy, without blanks: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const LARGEST_POLICY: usize = 6144;

#[test]
fn the_deployers_policy_fits_into_a_managed_policy() {
    let policy = repository::read(POLICY);

    let characters = policy.chars().filter(|character| !character.is_whitespace());

    assert!(characters.count() <= LARGEST_POLICY);
}

#[tokio::test]
async fn the_deployers_policy_allows_what_cloudformation_needs_for_every_resource() {
    let policy = allowed();
    let not_needed: Vec<_> = NOT_NEEDED.iter().flat_map(|(_, actions)| *actions).collect();

    let mut missing = BTreeSet::new();
    for (kind, actions) in needed(types()).await {
        for action in actions {
            let allowed = policy.iter().any(|pattern| matches(pattern, &action));
            if !allowed && !not_needed.iter().any(|pattern| matches(pattern, &action)) {
                missing.insert(format!("{action} for {kind}"));
            }
        }
    }

    assert!(missing.is_empty(), "the policy lacks {missing:?}");
}

/// The types of all resources, once SAM has written out its own.
fn types() -> BTreeSet<String> {
    let template = Template::read();
    let declared = template.section("Resources").values();
    let declared = declared.map(|resource| resource["Type"].as_str().expect("a type"));
    let written_out = declared.flat_map(|kind| {
        let own = SERVERLESS.iter().find(|(serverless, _)| *serverless == kind);
        own.map_or_else(|| vec![kind], |(_, types)| types.to_vec())
    });
    written_out.map(str::to_owned).collect()
}

async fn needed(types: BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
    let environment = local::install_for_test("sam")
        .await
        .expect("the SAM CLI is installed");
    let mut command = Command::new(environment.join("bin/python"));
    command.args(["-c", PERMISSIONS]).args(&types);
    let output = command.output().expect("Python starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{complaint}"))
}

fn allowed() -> Vec<String> {
    let policy: Value = serde_json::from_str(&repository::read(POLICY)).expect("a policy");
    let statements = policy["Statement"].as_array().expect("statements").iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().expect("actions"));
    actions
        .map(|action| action.as_str().expect("an action").to_owned())
        .collect()
}

/// Whether an action is the one that a policy names, whose name may end in `*`.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    match pattern.strip_suffix('*') {
        Some(beginning) => action.starts_with(beginning),
        None => action == pattern,
    }
}
