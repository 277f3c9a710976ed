//! Numbers that the code and the template both know.

use tests::repository::read;
use tests::template::Template;

#[test]
fn the_longest_wait_of_a_message_that_is_handed_back_is_the_visibility_time_out_of_its_queue() {
    let template = Template::read();

    for queue in ["EventsQueue", "FailedAttemptsQueue", "PurgesQueue"] {
        let visibility = template.number(&template.resource(queue)["VisibilityTimeout"]);
        assert_eq!(visibility, longest_wait_seconds(), "{queue}");
    }
}

#[test]
fn the_code_knows_the_time_out_of_retry() {
    let template = Template::read();
    let timeout = template.number(&template.function("RetryFunction")["Timeout"]);

    assert_eq!(shared::config::RETRY_TIMEOUT.as_secs(), timeout);
}

#[test]
fn the_default_schedule_of_the_template_is_the_one_that_the_domain_tests() {
    let template = Template::read();

    assert_eq!(template.parameter("RetrySchedule")["Default"], default_schedule());
}

/// Of `functions::queue`, whose crate this one does not depend on.
fn longest_wait_seconds() -> u64 {
    constant("functions/src/queue.rs", "LONGEST_WAIT_SECONDS: i32 = ", ";")
        .parse()
        .expect("a number of seconds")
}

/// Of `shared::domain::schedule`.
fn default_schedule() -> String {
    constant("shared/src/domain/schedule.rs", "DEFAULT: &str = \"", "\"")
}

/// What a file has between two texts.
fn constant(file: &str, before: &str, after: &str) -> String {
    let text = read(file);
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{file} has no `{before}`"));
    let (value, _) = rest.split_once(after).expect("the end of the constant");
    value.to_owned()
}
