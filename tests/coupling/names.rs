//! Names that are made of the stack's name, which may have 128 characters:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>.

use serde_json::{Value, json};
use tests::template::Template;

const LONGEST_STACK_NAME: usize = 128;

/// `whe_` and a ULID.
const ENDPOINT_ID: usize = 30;

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>
const LONGEST_SECRET_NAME: usize = 512;

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateScheduleGroup.html>
const LONGEST_GROUP_NAME: usize = 64;

/// Of all variables of a function together, in bytes:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const LARGEST_ENVIRONMENT: usize = 4096;

const LONGEST_NUMBER: usize = 10;

/// A retry schedule of 20 waits.
const LONGEST_TEXT: usize = 20 * "999999,".len();

/// Of a queue, whose name may have 80 characters; those of roles are shorter.
const LONGEST_ARN: usize = "arn:aws-us-gov:sqs:ap-southeast-99:123456789012:".len() + 80;

const LONGEST_QUEUE_URL: usize = "https://sqs.ap-southeast-99.amazonaws.com.cn/123456789012/".len() + 80;

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html>
const LONGEST_METRIC_NAMESPACE: usize = 255;

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
const LONGEST_LOG_GROUP: usize = 512;

/// What the template names by the stack: the secrets, whose names are made at run time, in the variable of the functions
/// and in their policies; the namespace of its metrics; and the log
/// group of the API. Whatever else has a name of the stack's belongs here, with its
/// limit.
#[test]
fn what_is_named_after_the_stack_never_has_too_long_a_name() {
    let template = Template::read();
    let mut names = Vec::new();
    let resources = Value::Object(template.section("Resources").clone());
    collect("Resources", &resources, &mut names);
    collect("Globals", template.globals(), &mut names);

    assert!(!names.is_empty());
    for (property, name) in names {
        let is_secret =
            name.ends_with("${AWS::StackName}/endpoints/") || name.ends_with("${AWS::StackName}/endpoints/*");
        // The dashboard shows a metric of that namespace.
        let is_namespace = ["MetricNamespace", "Namespace", "DashboardBody"].contains(&property.as_str());
        let is_log_group = property == "LogGroupName" && name.len() + LONGEST_STACK_NAME <= LONGEST_LOG_GROUP;
        assert!(
            is_secret || is_namespace || is_log_group,
            "say here how long {name} may get as {property}"
        );
    }
    const { assert!(LONGEST_STACK_NAME <= LONGEST_METRIC_NAMESPACE) };
    let longest = LONGEST_STACK_NAME + "/endpoints/".len() + ENDPOINT_ID;
    assert!(longest <= LONGEST_SECRET_NAME);
}

#[test]
fn the_schedule_group_is_named_after_the_last_part_of_the_stacks_id() {
    let template = Template::read();
    let name = &template.resource("RetryScheduleGroup")["Name"]["Fn::Join"];

    let [prefix, id] = &name[1].as_array().expect("parts")[..] else {
        panic!("two parts, not {name}");
    };
    let stack_id = json!({ "Ref": "AWS::StackId" });
    let last = json!({ "Fn::Select": [2, { "Fn::Split": ["/", stack_id] }] });
    assert_eq!(id, &last);
    let uuid = "51af3dc0-da77-11e4-872e-1234567db123";
    assert!(prefix.as_str().expect("text").len() + "-".len() + uuid.len() <= LONGEST_GROUP_NAME);
}

#[test]
fn the_functions_variables_have_room_however_the_stack_is_called() {
    let template = Template::read();
    let bytes = |of: &Value| {
        let variables = of["Environment"]["Variables"].as_object();
        let variables = variables.into_iter().flatten();
        let bytes = variables.map(|(name, value)| name.len() + longest(&template, value));
        bytes.sum::<usize>()
    };

    let functions = template.of_type("AWS::Serverless::Function");
    let own = functions.iter().map(|(_, function)| bytes(function)).max();
    let bytes = bytes(template.globals()) + own.unwrap_or_default();

    assert!(bytes <= LARGEST_ENVIRONMENT, "{bytes} bytes");
}

/// Every `Fn::Sub` and `Ref` of the stack's name, with the property that it is the value of.
fn collect(property: &str, value: &Value, names: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if text.contains("AWS::StackName") => {
            names.push((property.to_owned(), text.clone()));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(property, value, names)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_function = name == "Ref" || name.starts_with("Fn::");
                collect(if is_function { property } else { name }, value, names);
            }
        }
        _ => {}
    }
}

/// The most characters that the value of a variable can have.
fn longest(template: &Template, value: &Value) -> usize {
    let Some((function, operand)) = value.as_object().and_then(|call| call.iter().next()) else {
        return value.as_str().map_or(LONGEST_NUMBER, str::len);
    };
    match (function.as_str(), operand) {
        ("Fn::GetAtt", _) => LONGEST_ARN,
        ("Fn::Sub", Value::String(text)) => text.len() + LONGEST_STACK_NAME,
        ("Ref", Value::String(name)) if name == "AWS::NoValue" => 0,
        ("Ref", Value::String(name)) => longest_reference(template, name),
        ("Fn::If", Value::Array(operands)) => {
            let values = operands.iter().skip(1);
            values
                .map(|value| longest(template, value))
                .max()
                .unwrap_or_default()
        }
        _ => panic!("say here how long {value} may get"),
    }
}

fn longest_reference(template: &Template, name: &str) -> usize {
    let resource = template.section("Resources").get(name);
    match resource.map(|resource| &resource["Type"]) {
        None if template.parameter(name)["Type"] == "Number" => LONGEST_NUMBER,
        None => {
            let limit = template.parameter(name)["MaxLength"].as_u64();
            limit.map_or(LONGEST_TEXT, |limit| usize::try_from(limit).expect("a length"))
        }
        Some(kind) if kind == "AWS::SQS::Queue" => LONGEST_QUEUE_URL,
        // CloudFormation names it after the stack and the resource, and adds 13 characters.
        Some(_) => format!("-{name}-").len() + LONGEST_STACK_NAME + 13,
    }
}
