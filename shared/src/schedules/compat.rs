//! Schedules as every release makes them, and as they come back when the scheduler could not reach its queue.

use serde_json::json;

use super::{expression, input, name, undelivered};
use crate::domain::task::Task;
use crate::golden;

fn fourth_attempt() -> Task {
    Task {
        attempt: 4,
        body: None,
        ..golden::first_attempt()
    }
}

/// It waits for up to a day, and longer if its customer asked for that.
#[test]
fn a_schedule_is_read_and_written_as_in_every_release() {
    let due = "2026-06-07T11:05:00.25Z".parse().unwrap();

    golden::check(
        "schedules/retry",
        &fourth_attempt(),
        |task| {
            json!({
                "Name": name(task),
                "ScheduleExpression": expression(due),
                "Target": { "Input": input(task.clone()).unwrap() },
            })
        },
        |schedule| serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap(),
    );
}

#[test]
fn a_dead_letter_of_the_scheduler_is_read_as_in_every_release() {
    golden::check_reading("schedules/dead-letter", &fourth_attempt(), |message| {
        undelivered(message["MessageBody"].as_str().unwrap()).unwrap()
    });
}
