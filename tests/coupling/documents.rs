//! The tables of the documents name what there is, all of it and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::domain::event_type::Catalogue;
use tests::document::operations;
use tests::repository;
use tests::table::{code, rows};
use tests::template::Template;

const OPERATING: &str = "docs/operating.md";

/// The names in the first column of a table; a row may have several.
fn named(first_header: &str) -> BTreeSet<String> {
    let rows = rows(OPERATING, first_header);
    let names = rows.iter().flat_map(|row| code(&row[0]));
    names.map(str::to_owned).collect()
}

fn of_type(kind: &str) -> BTreeSet<String> {
    let template = Template::read();
    let resources = template.of_type(kind).into_iter();
    resources.map(|(name, _)| name).collect()
}

#[test]
fn the_table_of_parameters_has_those_of_the_template_with_their_defaults() {
    let template = Template::read();
    let text = |default: &Value| match default {
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let declared = template.section("Parameters").iter();
    let declared: BTreeSet<_> = declared
        .map(|(name, parameter)| (name.clone(), text(&parameter["Default"])))
        .collect();

    let documented = rows(OPERATING, "parameter").into_iter();
    let documented = documented.map(|row| {
        let name = code(&row[0])[0].to_owned();
        (name, row[1].trim_matches('`').to_owned())
    });

    assert_eq!(documented.collect::<BTreeSet<_>>(), declared);
}

#[test]
fn the_table_of_outputs_has_those_of_the_template() {
    let template = Template::read();
    let declared: BTreeSet<_> = template.section("Outputs").keys().cloned().collect();

    assert_eq!(named("output"), declared);
}

#[test]
fn the_table_of_alarms_has_those_of_the_template() {
    assert_eq!(named("alarm"), of_type("AWS::CloudWatch::Alarm"));
}

#[test]
fn the_documents_count_the_alarms_and_the_metrics_that_they_are_billed_by() {
    let template = Template::read();
    // Those that a parameter adds are counted where the parameter is explained.
    let mut alarms = template.of_type("AWS::CloudWatch::Alarm");
    alarms.retain(|(name, _)| template.attribute(name, "Condition").is_null());
    let metrics = alarms.iter().map(|(_, alarm)| {
        let of_math = alarm["Metrics"].as_array().into_iter().flatten();
        of_math
            .filter(|metric| metric["MetricStat"].is_object())
            .count()
            .max(1)
    });
    let (alarms, metrics) = (alarms.len(), metrics.sum::<usize>());

    // 10 cents each.
    let dollars = format!("${}.{}0", metrics / 10, metrics % 10);
    let performance = repository::read("docs/performance.md");
    assert!(performance.contains(&format!(
        "The {alarms} alarms are {metrics} alarm metrics, {dollars} a month"
    )));
    assert!(performance.contains(&format!("| {alarms} alarms | {dollars} |")));
    assert!(repository::read("README.md").contains(&format!("{dollars} for the {alarms} alarms")));
}

#[test]
fn the_table_of_queues_has_those_of_the_template() {
    assert_eq!(named("queue"), of_type("AWS::SQS::Queue"));
}

#[test]
fn the_table_of_operational_events_is_the_rest_of_the_operators_catalogue() {
    let own: BTreeSet<_> = Catalogue::Product
        .event_types()
        .map(|event_type| event_type.name)
        .collect();
    let operators = Catalogue::Operator
        .event_types()
        .map(|event_type| event_type.name);
    let operational: BTreeSet<_> = operators
        .filter(|name| !own.contains(name))
        .map(str::to_owned)
        .collect();

    assert_eq!(named("operational event"), operational);
}

#[test]
fn the_table_of_event_types_is_the_catalogue() {
    let documented = rows("docs/receivers.md", "event type").into_iter();
    let documented: Vec<_> = documented
        .map(|row| (code(&row[0])[0].to_owned(), row[1].clone()))
        .collect();

    let catalogue = Catalogue::Product.event_types();
    let catalogue: Vec<_> = catalogue
        .map(|event_type| (event_type.name.to_owned(), event_type.description.to_owned()))
        .collect();

    assert_eq!(documented, catalogue);
}

#[test]
fn the_table_of_routes_is_that_of_the_openapi_document() {
    let documented = rows("docs/api.md", "route").into_iter();
    let documented = documented.map(|row| {
        let route = code(&row[0])[0].to_owned();
        (route, row[1].trim_matches('`').to_owned(), row[2][..3].to_owned())
    });

    let described = operations().iter().map(|operation| {
        let path = operation.path.replace('{', ":").replace('}', "");
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let success = operation.statuses().into_iter().min().expect("a status");
        let otherwise = if operation.is_open() { "none" } else { "any" };
        let needed = operation.scope.as_deref().unwrap_or(otherwise);
        (
            format!("{} {path}", operation.method),
            needed.to_owned(),
            success.to_string(),
        )
    });

    assert_eq!(
        documented.collect::<BTreeSet<_>>(),
        described.collect::<BTreeSet<_>>()
    );
}
