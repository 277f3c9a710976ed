//! What the emulator does not check, read off `template.yaml` itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::names::kebab;
use tests::repository::{read, stems};
use tests::template::Template;

/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>)
#[test]
fn a_queue_hides_a_message_for_its_batching_window_and_six_times_as_long_as_its_function_may_run() {
    let template = Template::read();
    for (function, queue) in template.queue_sources() {
        let timeout = template.number(&template.function(&function)["Timeout"]);
        let visibility = &template.resource(&queue)["VisibilityTimeout"];
        // Where the visibility is a parameter, whoever sets a window sets that too.
        let window = if visibility["Ref"].is_string() {
            template.number(&source(&template, &queue)["MaximumBatchingWindowInSeconds"])
        } else {
            longest_window(&template, &queue)
        };
        let visibility = template.number(visibility);
        assert!(
            visibility >= 6 * timeout + window,
            "{queue}: {visibility} s for {function}, which may run {timeout} s after {window} s"
        );
    }
}

/// The event source that reads a queue.
fn source<'a>(template: &'a Template, queue: &str) -> &'a Value {
    let mut sources = template.event_sources().into_iter();
    let source = sources.find(|(_, source)| Template::queue_of(source).as_deref() == Some(queue));
    source.expect("the source").1
}

/// The longest batching window that the event source of a queue can be given.
fn longest_window(template: &Template, queue: &str) -> u64 {
    match source(template, queue)["MaximumBatchingWindowInSeconds"]["Ref"].as_str() {
        Some(parameter) => template.parameter(parameter)["MaxValue"]
            .as_u64()
            .expect("a limit"),
        None => 0,
    }
}

#[test]
fn every_queue_whose_messages_come_back_has_an_alarm_that_sees_it() {
    let template = Template::read();
    for (_, queue) in template.queue_sources() {
        let alarm = template.resource(&format!("{queue}ReturnsAlarm"));
        let metrics = alarm["Metrics"].as_array().expect("metrics");
        let name = json!({ "Fn::GetAtt": format!("{queue}.QueueName") });
        for (metric, id) in metrics.iter().zip(["received", "deleted"]) {
            let counted = json!({
                "Namespace": "AWS/SQS",
                "MetricName": format!("NumberOfMessages{}{}", id[..1].to_uppercase(), &id[1..]),
                "Dimensions": [{ "Name": "QueueName", "Value": name }],
            });
            let stat = json!({ "Metric": counted, "Stat": "Sum", "Period": 300 });
            assert_eq!(
                metric,
                &json!({ "Id": id, "ReturnData": false, "MetricStat": stat })
            );
        }
        let share = "IF(received > 0, (received - FILL(deleted, 0)) / received, 0)";
        assert_eq!(metrics[2]["Expression"], share, "{queue}");
        assert_eq!(alarm["Threshold"], 0.05, "{queue}");
    }
}

#[test]
fn deliver_may_run_longer_than_an_attempt() {
    let template = Template::read();
    let deadline = template.number(&json!({ "Ref": "PostDeadlineSeconds" }));
    let timeout = template.number(&template.function("DeliverFunction")["Timeout"]);

    assert!(
        timeout >= 2 * deadline + 10,
        "time for two attempts one after the other, and for recording them"
    );
}

#[test]
fn every_event_source_reports_the_items_that_fail() {
    let template = Template::read();
    let mut sources = 0;
    for (function, source) in template.event_sources() {
        assert_eq!(
            source["FunctionResponseTypes"],
            json!(["ReportBatchItemFailures"]),
            "{function}"
        );
        sources += 1;
    }
    assert_eq!(sources, 8);
}

#[test]
fn a_batch_needs_no_window_unless_it_is_made_larger_and_leaves_room_for_the_others() {
    let template = Template::read();
    for (function, queue) in template.queue_sources() {
        let source = source(&template, &queue);
        assert_eq!(
            template.number(&source["BatchSize"]),
            10,
            "{function}: more needs a MaximumBatchingWindowInSeconds"
        );
        let concurrency = &source["ScalingConfig"]["MaximumConcurrency"];
        let parameter = concurrency["Ref"].as_str().unwrap_or_else(|| {
            panic!("{function}: an account with little concurrency must be able to lower it")
        });
        assert_eq!(template.parameter(parameter)["MinValue"], 2, "{parameter}");
        assert_eq!(template.parameter(parameter)["MaxValue"], 1000, "{parameter}");
    }
}

#[test]
fn what_every_delivery_goes_through_can_be_read_in_larger_batches() {
    let template = Template::read();
    let size = json!({ "Ref": "BatchSize" });
    let larger = template.queue_sources().into_iter().filter_map(|(_, queue)| {
        let source = source(&template, &queue);
        let window = &source["MaximumBatchingWindowInSeconds"];
        assert_eq!(
            source["BatchSize"] == size,
            *window == json!({ "Ref": "BatchingWindowSeconds" }),
            "{queue}"
        );
        (source["BatchSize"] == size).then_some(queue)
    });

    assert_eq!(
        larger.collect::<Vec<_>>(),
        ["DeliveriesQueue", "RetriesQueue", "EventsQueue"]
    );
    assert_eq!(template.parameter("BatchingWindowSeconds")["Default"], 0);
}

#[test]
fn the_documents_name_the_concurrency_that_the_event_sources_take_together() {
    let template = Template::read();
    let sources = template.event_sources();
    let queues = sources.iter().filter_map(|(_, source)| {
        Template::queue_of(source)?;
        Some(template.number(&source["ScalingConfig"]["MaximumConcurrency"]))
    });
    // The stream of the endpoints table has a shard or more, which are read at the same time.
    let together = queues.sum::<u64>() + 1;

    for document in ["README.md", "docs/operating.md"] {
        assert!(
            read(document).contains(&format!("{together} with the default parameters")),
            "{document} does not say that it is {together} with the default parameters"
        );
    }
}

#[test]
fn first_attempts_and_retries_wait_apart_and_go_to_one_queue_after_five_receives() {
    let template = Template::read();
    for queue in ["DeliveriesQueue", "RetriesQueue"] {
        let redrive = &template.resource(queue)["RedrivePolicy"];
        assert_eq!(redrive["maxReceiveCount"], 5, "{queue}");
        assert_eq!(
            redrive["deadLetterTargetArn"],
            json!({ "Fn::GetAtt": "FailedAttemptsQueue.Arn" }),
            "{queue}"
        );
    }
}

#[test]
fn every_queue_that_is_read_has_a_dead_letter_queue_and_every_queue_keeps_messages_for_14_days() {
    let template = Template::read();
    for (_, queue) in template.queue_sources() {
        assert!(template.resource(&queue)["RedrivePolicy"].is_object(), "{queue}");
    }
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(queue["MessageRetentionPeriod"], 1_209_600, "{name}");
    }
}

#[test]
fn everything_at_rest_is_encrypted_with_keys_that_cost_nothing_and_every_table_can_be_restored() {
    let template = Template::read();
    for (name, table) in template.of_type("AWS::DynamoDB::Table") {
        // DynamoDB encrypts without being asked; being asked makes it use a key that is billed.
        assert!(table["SSESpecification"].is_null(), "{name}");
        assert_eq!(
            table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true,
            "{name}"
        );
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{name}");
    }
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
    }
}

#[test]
fn the_stream_shows_what_changed_and_purge_is_told_of_deletions_only() {
    let template = Template::read();
    let stream = &template.resource("EndpointsTable")["StreamSpecification"];
    let source = &template.function("PurgeFunction")["Events"]["DeletedEndpoints"]["Properties"];

    assert_eq!(stream["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert_eq!(source["StartingPosition"], "TRIM_HORIZON");
    let absent = json!({ "S": [{ "exists": false }] });
    assert_eq!(
        filters(source),
        [json!({ "dynamodb": {
            "Keys": { "endpoint": { "S": [{ "prefix": "whe_" }] } },
            "NewImage": { "endpoint": absent },
        } })]
    );
}

/// Lambda filters a stream's records by nothing else
/// (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>).
#[test]
fn records_of_the_stream_are_filtered_by_what_changed_only() {
    let template = Template::read();
    let sources = template.event_sources().into_iter();
    let streams: Vec<_> = sources
        .filter(|(_, source)| source["Stream"].is_object())
        .collect();

    assert_eq!(streams.len(), 2);
    for (function, source) in streams {
        for filter in filters(source) {
            let keys: Vec<_> = filter.as_object().expect("an object").keys().collect();
            assert_eq!(keys, ["dynamodb"], "{function}");
        }
    }
}

/// The patterns of an event source.
fn filters(source: &Value) -> Vec<Value> {
    let filters = source["FilterCriteria"]["Filters"].as_array().expect("filters");
    let pattern = |filter: &Value| {
        let pattern = filter["Pattern"]
            .as_str()
            .or(filter["Pattern"]["Fn::Sub"].as_str());
        serde_json::from_str(pattern.expect("a pattern")).expect("a pattern is JSON")
    };
    filters.iter().map(pattern).collect()
}

#[test]
fn nobody_is_told_of_endpoints_unless_there_is_an_operators_workspace() {
    let template = Template::read();
    assert_eq!(template.parameter("OperatorWorkspace")["Default"], "");
    let is_set = json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "OperatorWorkspace" }, ""] }] });
    assert_eq!(template.section("Conditions")["TellsOperator"], is_set);
    for name in [
        "AnnounceFunction",
        "AnnounceRole",
        "AnnounceLogGroup",
        "AnnounceStreamAgeAlarm",
        "AnnounceErrorsAlarm",
    ] {
        assert_eq!(template.attribute(name, "Condition"), "TellsOperator", "{name}");
    }
    let resources = template.section("Resources");
    let conditional = resources
        .values()
        .filter(|resource| resource["Condition"] == "TellsOperator");
    assert_eq!(conditional.count(), 5);
}

#[test]
fn announce_reads_the_stream_as_purge_does_and_nothing_of_the_operators_own() {
    let template = Template::read();
    let sources = template.event_sources();
    let reader = |function: &str| {
        let mut readers = sources.iter().filter(|(_, source)| source["Stream"].is_object());
        let reader = readers.find(|(name, _)| name == function);
        reader.map(|(_, source)| *source).expect("it reads the stream")
    };
    let (purge, announce) = (reader("PurgeFunction"), reader("AnnounceFunction"));
    let readers = sources.iter().filter(|(_, source)| source["Stream"].is_object());
    assert_eq!(readers.count(), 2, "a stream has room for no more");

    for setting in [
        "Stream",
        "StartingPosition",
        "BatchSize",
        "BisectBatchOnFunctionError",
        "FunctionResponseTypes",
    ] {
        assert_eq!(purge[setting], announce[setting], "{setting}");
    }
    let pattern = announce["FilterCriteria"]["Filters"][0]["Pattern"]["Fn::Sub"].as_str();
    let pattern: Value = serde_json::from_str(pattern.expect("a text")).expect("JSON");
    let keys = &pattern["dynamodb"]["Keys"];
    assert_eq!(
        keys["workspace"]["S"],
        json!([{ "anything-but": ["${OperatorWorkspace}"] }])
    );
    assert_eq!(keys["endpoint"]["S"], json!([{ "prefix": "whe_" }]));
    let role = template.resource("AnnounceRole");
    let sending = &role["Policies"][0]["PolicyDocument"]["Statement"][2];
    assert_eq!(sending["Resource"], json!({ "Fn::GetAtt": "EventsQueue.Arn" }));
}

#[test]
fn a_table_outlives_the_stack_a_replacement_and_a_mistaken_deletion() {
    let template = Template::read();
    assert_eq!(template.parameter("TableDeletionProtection")["Default"], "true");
    let condition = &template.section("Conditions")["ProtectsTables"];
    let on = json!({ "Fn::Equals": [{ "Ref": "TableDeletionProtection" }, "true"] });
    assert_eq!(condition, &on);
    for (name, table) in template.of_type("AWS::DynamoDB::Table") {
        assert_eq!(template.attribute(&name, "DeletionPolicy"), "Retain", "{name}");
        assert_eq!(
            template.attribute(&name, "UpdateReplacePolicy"),
            "Retain",
            "{name}"
        );
        let protected = &table["DeletionProtectionEnabled"];
        assert_eq!(
            protected,
            &json!({ "Fn::If": ["ProtectsTables", true, false] }),
            "{name}"
        );
    }
}

#[test]
fn what_is_deleted_by_age_is_what_grows_with_traffic() {
    let template = Template::read();
    for (name, attribute) in [
        ("EventsTable", "expires_at"),
        ("DeliveriesTable", "expires_at"),
        ("TokensTable", "kept_until"),
    ] {
        assert_eq!(
            template.resource(name)["TimeToLiveSpecification"],
            json!({ "AttributeName": attribute, "Enabled": true }),
            "{name}"
        );
    }
}

#[test]
fn a_route_that_keeps_something_beside_a_history_can_write_nothing_into_it() {
    let template = Template::read();
    let statements = template.statements();
    let deliveries = json!({ "Fn::GetAtt": "DeliveriesTable.Arn" });
    for (keeping, action, partition) in [
        ("ListDeliveriesRole", "dynamodb:PutItem", "whe_*#counts"),
        ("GetStatsRole", "dynamodb:PutItem", "whe_*#hours"),
        ("CreateRecoveryRole", "dynamodb:PutItem", "whe_*#recoveries"),
        ("CancelRecoveryRole", "dynamodb:UpdateItem", "whe_*#recoveries"),
    ] {
        let writes: Vec<_> = statements
            .iter()
            .filter(|(role, statement)| role == keeping && list(&statement["Resource"]).contains(&deliveries))
            .filter(|(_, statement)| list(&statement["Action"]).contains(&json!(action)))
            .collect();

        let [(_, statement)] = writes[..] else {
            panic!("one statement lets {keeping} write, not {}", writes.len());
        };
        let partitions = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        assert_eq!(partitions, &json!([partition]));
    }
}

#[test]
fn no_policy_has_a_wildcard_action_or_an_unnamed_resource() {
    let template = Template::read();
    for (role, statement) in template.statements() {
        for action in list(&statement["Action"]) {
            let action = action.as_str().expect("an action");
            assert!(!action.contains('*'), "{role}: {action}");
        }
        for resource in list(&statement["Resource"]) {
            let text = resource["Fn::Sub"].as_str();
            let named = resource["Fn::GetAtt"].is_string() || text.is_some_and(|text| text.contains("${"));
            assert!(named, "{role}: {resource}");
            // A prefix only where names are made at run time: endpoint secrets, and schedules.
            let prefix = text.is_some_and(|text| text.contains('*'));
            let made_at_run_time =
                text.is_some_and(|text| text.contains(":secretsmanager:") || text.contains(":scheduler:"));
            assert!(!prefix || made_at_run_time, "{role}: {resource}");
        }
    }
}

/// What the functions may do that somebody asks, by route or by hand.
const ROLES_OF_THOSE_WHO_ARE_ASKED: &[(&str, &str)] = &[
    (
        "CreateEndpointRole",
        "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem secretsmanager:CreateSecret sqs:SendMessage",
    ),
    ("ListEndpointsRole", "dynamodb:GetItem dynamodb:Query"),
    ("GetEndpointRole", "dynamodb:GetItem"),
    ("UpdateEndpointRole", "dynamodb:GetItem dynamodb:UpdateItem"),
    (
        "RotateSecretRole",
        "dynamodb:GetItem dynamodb:UpdateItem secretsmanager:PutSecretValue",
    ),
    (
        "DeleteEndpointRole",
        "dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem sqs:SendMessage",
    ),
    (
        "ListDeliveriesRole",
        "dynamodb:BatchGetItem dynamodb:ConditionCheckItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query",
    ),
    (
        "ListAllDeliveriesRole",
        "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query",
    ),
    (
        "GetStatsRole",
        "dynamodb:ConditionCheckItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query",
    ),
    ("GetDeliveryRole", "dynamodb:GetItem"),
    (
        "GetEventRole",
        "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query",
    ),
    (
        "RetryDeliveryRole",
        "dynamodb:GetItem dynamodb:PartiQLUpdate sqs:SendMessage",
    ),
    (
        "SendTestEventRole",
        "dynamodb:GetItem dynamodb:PutItem sqs:SendMessage",
    ),
    (
        "CreateRecoveryRole",
        "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem sqs:SendMessage",
    ),
    ("ListRecoveriesRole", "dynamodb:GetItem dynamodb:Query"),
    ("GetRecoveryRole", "dynamodb:GetItem"),
    ("CancelRecoveryRole", "dynamodb:GetItem dynamodb:UpdateItem"),
    ("ListEventTypesRole", "dynamodb:GetItem"),
    ("GetTokenRole", "dynamodb:GetItem"),
    (
        "CreateSessionRole",
        "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
    ),
    (
        "EraseWorkspaceRole",
        "dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query \
         dynamodb:UpdateItem secretsmanager:DeleteSecret sqs:SendMessage",
    ),
    ("IssueTokenRole", "dynamodb:PutItem"),
    ("ListTokensRole", "dynamodb:Query"),
    ("RevokeTokenRole", "dynamodb:UpdateItem"),
    ("CreatePortalLinkRole", "dynamodb:PutItem"),
];

/// The end-to-end tests fail if an action is missing; this fails if one is added that nobody thought about.
#[test]
fn every_function_may_do_what_it_does_and_no_more() {
    let template = Template::read();
    let consume = "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage";
    for (role, actions) in ROLES_OF_THOSE_WHO_ARE_ASKED {
        assert_eq!(allowed(&template, role), *actions, "{role}");
    }
    for (role, actions) in [
        ("DashboardRole", ""),
        ("RetrySchedulerRole", "sqs:SendMessage"),
        (
            "FanOutRole",
            &format!("dynamodb:BatchGetItem dynamodb:PartiQLInsert dynamodb:Query {consume}"),
        ),
        (
            "DeliverRole",
            "dynamodb:BatchGetItem dynamodb:PartiQLInsert dynamodb:PartiQLUpdate dynamodb:UpdateItem \
             secretsmanager:GetSecretValue \
             sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage",
        ),
        (
            "RetryRole",
            &format!(
                "dynamodb:BatchGetItem dynamodb:PartiQLInsert dynamodb:PartiQLUpdate \
                 dynamodb:UpdateItem iam:PassRole scheduler:CreateSchedule {consume}"
            ),
        ),
        (
            "RecoverRole",
            &format!(
                "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:PartiQLInsert dynamodb:PartiQLUpdate \
                 dynamodb:Query dynamodb:UpdateItem {consume}"
            ),
        ),
        (
            "PurgeRole",
            &format!(
                "dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:DescribeStream dynamodb:GetItem dynamodb:GetRecords \
                 dynamodb:GetShardIterator dynamodb:ListStreams dynamodb:Query secretsmanager:DeleteSecret {consume}"
            ),
        ),
        (
            "AnnounceRole",
            "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams sqs:SendMessage",
        ),
    ] {
        assert_eq!(allowed(&template, role), actions, "{role}");
    }
}

/// The actions that a role allows, but for those that write logs.
fn allowed(template: &Template, role: &str) -> String {
    let statements = template.statements();
    let of_role = statements.iter().filter(|(name, _)| name == role);
    let actions = of_role.flat_map(|(_, statement)| list(&statement["Action"]));
    let mut actions: Vec<_> = actions
        .filter_map(|action| action.as_str().map(str::to_owned))
        .filter(|action| !action.starts_with("logs:"))
        .collect();
    actions.sort();
    actions.dedup();
    actions.join(" ")
}

/// The API names the functions that have a route, and `CloudFormation` refuses a circle.
#[test]
fn one_function_knows_where_customers_reach_the_api_and_it_has_no_route() {
    let template = Template::read();
    let knows = |value: &Value| value.to_string().contains("PublicUrl");
    let functions = template.of_type("AWS::Serverless::Function");
    let mut knowing = functions.iter().filter(|(_, function)| knows(function));

    let (name, function) = knowing.next().expect("a function that makes links");
    assert_eq!(name, "CreatePortalLinkFunction");
    assert!(function["Events"].is_null());
    assert!(knowing.next().is_none() && !knows(template.globals()));
    let own = template.section("Outputs")["ApiUrl"]["Value"].clone();
    assert_eq!(
        function["Environment"]["Variables"]["PUBLIC_URL"],
        json!({ "Fn::If": ["HasPublicUrl", { "Ref": "PublicUrl" }, own] })
    );
    assert_eq!(template.parameter("PublicUrl")["Default"], "");
    let is_set = json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "PublicUrl" }, ""] }] });
    assert_eq!(template.section("Conditions")["HasPublicUrl"], is_set);
}

#[test]
fn every_function_has_its_handler_its_event_its_log_group_and_its_role_by_the_same_name() {
    let template = Template::read();
    let functions = template.of_type("AWS::Serverless::Function");
    let names: BTreeSet<String> = functions
        .iter()
        .map(|(name, _)| kebab(name.trim_end_matches("Function")))
        .collect();
    assert_eq!(names, stems("events", "json"));
    let build = template.metadata("DeliverFunction");
    for (name, function) in functions {
        let stem = name.trim_end_matches("Function");
        assert_eq!(function["Handler"], kebab(stem));
        assert_eq!(
            template.metadata(&name),
            build,
            "{name}: functions that differ in nothing but their handler are built once"
        );
        assert_eq!(
            function["Role"],
            json!({ "Fn::GetAtt": format!("{stem}Role.Arn") })
        );
        assert_eq!(
            function["LoggingConfig"]["LogGroup"],
            json!({ "Ref": format!("{stem}LogGroup") })
        );
        assert_eq!(
            template.resource(&format!("{stem}LogGroup"))["RetentionInDays"],
            json!({ "Ref": "LogRetentionDays" })
        );
    }
}

#[test]
fn insecure_targets_are_off_unless_somebody_turns_them_on() {
    let default = Template::read().parameter("AllowInsecureTargets")["Default"].clone();

    assert_eq!(default, "false");
}

#[test]
fn functions_have_an_endpoint_only_if_somebody_names_one() {
    let template = Template::read();
    let endpoint = &template.globals()["Environment"]["Variables"]["AWS_ENDPOINT_URL"];

    assert_eq!(template.parameter("AwsEndpointUrl")["Default"], "");
    assert_eq!(
        endpoint,
        &json!({ "Fn::If": ["HasAwsEndpointUrl", { "Ref": "AwsEndpointUrl" }, { "Ref": "AWS::NoValue" }] })
    );
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}
