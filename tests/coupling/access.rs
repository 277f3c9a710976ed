//! Who may use what the template makes, read off `template.yaml`: what no emulator enforces as AWS does.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::document::operations;
use tests::template::Template;

#[test]
fn only_the_scheduler_is_handed_the_role_and_only_for_the_group_of_this_stack() {
    let template = Template::read();
    let statements = template.statements();
    let passing: Vec<_> = statements
        .iter()
        .filter(|(_, statement)| statement["Action"] == json!(["iam:PassRole"]))
        .collect();
    let [(_, passing)] = passing[..] else {
        panic!("one statement lets a role be passed, not {}", passing.len());
    };
    let service = json!({ "StringEquals": { "iam:PassedToService": "scheduler.amazonaws.com" } });
    assert_eq!(passing["Condition"], service);

    let trust = &template.resource("RetrySchedulerRole")["AssumeRolePolicyDocument"]["Statement"][0];
    let from_the_group = json!({
        "aws:SourceAccount": { "Ref": "AWS::AccountId" },
        "aws:SourceArn": { "Fn::GetAtt": "RetryScheduleGroup.Arn" },
    });
    assert_eq!(trust["Condition"]["StringEquals"], from_the_group);
}

#[test]
fn a_queue_takes_dead_letters_only_if_a_queue_of_the_template_sends_it_some() {
    let template = Template::read();
    let queues = template.of_type("AWS::SQS::Queue");
    let targets: BTreeSet<_> = queues
        .iter()
        .filter_map(|(_, queue)| queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"].as_str())
        .filter_map(|arn| arn.strip_suffix(".Arn"))
        .collect();
    assert!(!targets.is_empty());

    for (name, queue) in &queues {
        let expected = if targets.contains(name.as_str()) {
            Value::Null
        } else {
            json!({ "redrivePermission": "denyAll" })
        };
        assert_eq!(queue["RedriveAllowPolicy"], expected, "{name}");
    }
}

#[test]
fn other_accounts_and_rules_may_do_nothing_unless_named_and_then_only_send_events() {
    let template = Template::read();
    let policies = template.of_type("AWS::SQS::QueuePolicy");
    let [(name, policy)] = &policies[..] else {
        panic!("one queue has a policy, not {}", policies.len());
    };

    for parameter in ["ProducerPrincipals", "ProducerRules"] {
        assert_eq!(template.parameter(parameter)["Default"], "");
    }
    assert_eq!(template.attribute(name, "Condition"), "HasOtherProducers");
    assert_eq!(policy["Queues"], json!([{ "Ref": "EventsQueue" }]));
    let named = |parameter: &str| json!({ "Fn::Split": [",", { "Ref": parameter }] });
    let may_send = |sid: &str, principal: Value| {
        json!({
            "Sid": sid, "Effect": "Allow", "Principal": principal,
            "Action": ["sqs:SendMessage"], "Resource": { "Fn::GetAtt": "EventsQueue.Arn" },
        })
    };
    let accounts = may_send(
        "ProducersInOtherAccounts",
        json!({ "AWS": named("ProducerPrincipals") }),
    );
    let mut rules = may_send("ProducerRules", json!({ "Service": "events.amazonaws.com" }));
    rules["Condition"] = json!({ "ArnEquals": { "aws:SourceArn": named("ProducerRules") } });
    let none = json!({ "Ref": "AWS::NoValue" });
    assert_eq!(
        policy["PolicyDocument"]["Statement"],
        json!([
            { "Fn::If": ["HasProducerPrincipals", accounts, none] },
            { "Fn::If": ["HasProducerRules", rules, none] },
        ])
    );
}

#[test]
fn pages_of_named_origins_may_make_every_request_of_the_api() {
    let template = Template::read();
    let configuration = template.resource("Api")["CorsConfiguration"]["Fn::If"].clone();
    let methods: BTreeSet<_> = operations()
        .iter()
        .map(|operation| operation.method.as_str())
        .collect();

    assert_eq!(template.parameter("CorsOrigins")["Default"], "");
    assert_eq!(configuration[0], "HasCorsOrigins");
    assert_eq!(configuration[2], json!({ "Ref": "AWS::NoValue" }));
    let allowed = &configuration[1];
    assert_eq!(texts(&allowed["AllowMethods"]), methods);
    assert_eq!(
        texts(&allowed["AllowHeaders"]),
        BTreeSet::from(["authorization", "content-type"])
    );
    // The token is no cookie, which a browser would send by itself.
    assert!(allowed["AllowCredentials"].is_null());
}

#[test]
fn no_page_may_show_the_dashboard_in_a_frame_unless_it_is_named() {
    let parameter = Template::read().parameter("DashboardFrameAncestors").clone();

    assert_eq!(parameter["Default"], "'none'");
}

#[test]
fn functions_may_send_traces_only_if_they_are_traced() {
    let template = Template::read();
    let policy = template.resource("TracingPolicy");
    let statements = &policy["PolicyDocument"]["Statement"];
    let actions = json!(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]);
    let only_if_traced =
        json!({ "Fn::If": ["IsTraced", [{ "Ref": "TracingPolicy" }], { "Ref": "AWS::NoValue" }] });

    assert_eq!(template.parameter("Tracing")["Default"], "false");
    assert_eq!(template.attribute("TracingPolicy", "Condition"), "IsTraced");
    assert_eq!(statements.as_array().map(Vec::len), Some(1));
    assert_eq!(statements[0]["Action"], actions);
    for (name, function) in template.of_type("AWS::Serverless::Function") {
        let role = function["Role"]["Fn::GetAtt"].as_str().expect("a role");
        let role = template.resource(role.trim_end_matches(".Arn"));
        assert_eq!(role["ManagedPolicyArns"], only_if_traced, "{name}");
    }
    assert_eq!(template.of_type("AWS::IAM::ManagedPolicy").len(), 1);
}

fn texts(list: &Value) -> BTreeSet<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
