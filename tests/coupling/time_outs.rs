//! Numbers that the code and the template both know.

use functions::serve::LONGEST_WAIT_SECONDS;
use shared::domain::schedule::DEFAULT;
use tests::template::Template;

#[test]
fn the_longest_wait_of_a_message_that_is_handed_back_is_the_visibility_time_out_of_its_queue() {
    let template = Template::read();

    for queue in [
        "EventsQueue",
        "FailedAttemptsQueue",
        "RecoveriesQueue",
        "PurgesQueue",
    ] {
        let visibility = template.number(&template.resource(queue)["VisibilityTimeout"]);
        assert_eq!(
            visibility,
            u64::from(LONGEST_WAIT_SECONDS.unsigned_abs()),
            "{queue}"
        );
    }
}

#[test]
fn the_code_knows_the_time_out_of_retry_and_of_recover() {
    let template = Template::read();
    for function in ["RetryFunction", "RecoverFunction"] {
        let timeout = template.number(&template.function(function)["Timeout"]);

        assert_eq!(shared::config::RETRY_TIMEOUT.as_secs(), timeout, "{function}");
    }
}

#[test]
fn the_code_knows_the_time_out_of_delete_endpoint() {
    let template = Template::read();
    let timeout = template.number(&template.function("DeleteEndpointFunction")["Timeout"]);

    assert_eq!(functions::api::delete_endpoint::TIMEOUT.as_secs(), timeout);
}

/// An erasure waits at least this long for what was let in before something was removed: requests, and events.
#[test]
fn what_creates_something_of_a_workspace_ends_before_an_erasure_is_settled() {
    let template = Template::read();
    for (name, function) in template.of_type("AWS::Serverless::Function") {
        let timeout = template.number(&function["Timeout"]);
        let creates = function["Events"]["Route"].is_object() || name == "FanOutFunction";

        assert!(
            !creates || timeout <= shared::config::RETRY_TIMEOUT.as_secs(),
            "{name}: {timeout}"
        );
    }
}

#[test]
fn the_default_schedule_of_the_template_is_the_one_that_the_domain_tests() {
    let template = Template::read();

    assert_eq!(template.parameter("RetrySchedule")["Default"], DEFAULT);
}
