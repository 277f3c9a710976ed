//! What shows an operator why something failed: the access log and the dashboard, read off `template.yaml`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::table::{code, rows};
use tests::template::Template;

/// More would make even an account's first dashboard cost something.
const FREE_METRICS: usize = 50;

#[test]
fn a_line_of_the_access_log_is_json_with_the_error_of_the_integration_and_nothing_of_the_caller() {
    let template = Template::read();
    let settings = &template.resource("Api")["AccessLogSettings"];
    let format = settings["Format"].as_str().expect("a format");
    let line: Value = serde_json::from_str(format).expect("with the variables as texts it is JSON");
    let fields = line.as_object().expect("an object");
    let variables: BTreeSet<_> = fields.values().filter_map(Value::as_str).collect();

    assert_eq!(
        settings["DestinationArn"],
        json!({ "Fn::GetAtt": "ApiAccessLogGroup.Arn" })
    );
    assert_eq!(line["integration.error"], "$context.integrationErrorMessage");
    let known = [
        "$context.error.message",
        "$context.httpMethod",
        "$context.integration.integrationStatus",
        "$context.integration.requestId",
        "$context.integrationErrorMessage",
        "$context.integrationLatency",
        "$context.path",
        "$context.requestId",
        "$context.responseLatency",
        "$context.routeKey",
        "$context.status",
    ];
    assert_eq!(variables, BTreeSet::from(known));

    let rows = rows("docs/operating.md", "in each line of the access log");
    let documented = rows.iter().flat_map(|row| code(&row[0]));
    let documented: BTreeSet<_> = documented.map(str::to_owned).collect();
    assert_eq!(documented, fields.keys().cloned().collect());
}

#[test]
fn the_dashboard_shows_each_queue_that_is_read_and_costs_nothing_but_itself() {
    let template = Template::read();
    assert_eq!(template.parameter("Dashboard")["Default"], "false");
    assert_eq!(
        template.attribute("WebhooksDashboard", "Condition"),
        "HasDashboard"
    );

    let widgets = widgets(&template);
    let metrics: Vec<_> = widgets
        .iter()
        .flat_map(|widget| widget["properties"]["metrics"].as_array().into_iter().flatten())
        .collect();
    assert!(metrics.len() <= FREE_METRICS, "{} metrics", metrics.len());
    for (_, queue) in template.queue_sources() {
        let name = format!("${{{queue}.QueueName}}");
        let age =
            |metric: &&&Value| metric[1] == "ApproximateAgeOfOldestMessage" && metric[3] == name.as_str();
        assert_eq!(metrics.iter().filter(age).count(), 1, "{queue}");
    }
    for (queue, _) in template.of_type("AWS::SQS::Queue") {
        let name = format!("${{{queue}.QueueName}}");
        let waiting = |metric: &&&Value| {
            metric[1] == "ApproximateNumberOfMessagesVisible" && metric[3] == name.as_str()
        };
        assert_eq!(metrics.iter().filter(waiting).count(), 1, "{queue}");
    }
    for kind in ["Throttles", "Duration", "Errors"] {
        for function in ["FanOut", "Deliver", "Retry", "Recover", "Purge", "Announce"] {
            let name = format!("${{{function}Function}}");
            let shown = |metric: &&&Value| metric[1] == kind && metric[3] == name.as_str();
            assert_eq!(metrics.iter().filter(shown).count(), 1, "{kind} of {function}");
        }
    }
    // Attempts and their failures are in the log, which is read when somebody looks.
    for (name, filter) in template.of_type("AWS::Logs::MetricFilter") {
        assert_ne!(
            filter["LogGroupName"],
            json!({ "Ref": "DeliverLogGroup" }),
            "{name}"
        );
    }
}

/// The widgets, with what `CloudFormation` puts in for names left as it is. `CloudFormation` itself refuses a name that
/// the template does not have.
fn widgets(template: &Template) -> Vec<Value> {
    let body = template.resource("WebhooksDashboard")["DashboardBody"]["Fn::Sub"][0].as_str();
    let body: Value = serde_json::from_str(body.expect("a text")).expect("the dashboard is JSON");
    body["widgets"].as_array().cloned().expect("widgets")
}
