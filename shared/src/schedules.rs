//! Long waits: one-time schedules that put a retry on its queue and delete themselves. A message that hopped
//! through queues every 15 minutes instead would cost about fifty times as much.

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::ProvideErrorMetadata;
use aws_sdk_scheduler::operation::create_schedule::CreateScheduleError;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use aws_types::SdkConfig;
use jiff::Timestamp;

use crate::Error;
use crate::config::{Config, Setting};
use crate::domain::task::Task;
use crate::domain::time;

/// The schedule group of the deployment.
#[derive(Debug)]
pub struct Schedules {
    client: Client,
    group: Setting<String>,
    role_arn: Setting<String>,
    retries_queue_arn: Setting<String>,
    failed_attempts_queue_arn: Setting<String>,
}

/// The task in a message that the scheduler could not put on its queue. The scheduler's dead letters hold the call that
/// it tried to make, here of `SendMessage`, and not only what was to be sent
/// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html>).
#[must_use]
pub fn undelivered(dead_letter: &str) -> Option<Task> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Call {
        message_body: String,
    }
    let call: Call = serde_json::from_str(dead_letter).ok()?;
    serde_json::from_str(&call.message_body).ok()
}

impl Schedules {
    /// The deployment's schedules.
    #[must_use]
    pub fn new(aws: &SdkConfig, config: &Config) -> Self {
        Self {
            client: Client::new(aws),
            group: config.schedule_group.clone(),
            role_arn: config.scheduler_role_arn.clone(),
            retries_queue_arn: config.retries_queue_arn.clone(),
            failed_attempts_queue_arn: config.failed_attempts_queue_arn.clone(),
        }
    }

    /// Puts the task on the retries queue when it is due. If that fails for a day, or can never succeed, the task
    /// goes to the failed-attempts queue ([`undelivered`]), where `retry` takes it for an interrupted attempt. Asking
    /// again for the same attempt changes nothing, because the schedule is named after it.
    ///
    /// # Errors
    /// [`Error::ScheduleRefused`] if there are too many schedules, or they are made too fast
    /// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>); or the call failed.
    pub async fn send_at(&self, task: Task, due: Timestamp) -> Result<(), Error> {
        let (name, input) = (name(&task), input(task)?);
        let window = FlexibleTimeWindow::builder()
            .mode(FlexibleTimeWindowMode::Off)
            .build();
        let target = Target::builder()
            .arn(&*self.retries_queue_arn)
            .role_arn(&*self.role_arn)
            .input(input)
            .dead_letter_config(
                DeadLetterConfig::builder()
                    .arn(&*self.failed_attempts_queue_arn)
                    .build(),
            )
            .build();
        let creation = self
            .client
            .create_schedule()
            .group_name(&*self.group)
            .name(name)
            .schedule_expression(expression(due))
            .flexible_time_window(window.map_err(Error::unsendable("CreateSchedule"))?)
            .target(target.map_err(Error::unsendable("CreateSchedule"))?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .send()
            .await;
        let Err(error) = creation else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(CreateScheduleError::ConflictException(_)) => Ok(()),
            Some(refusal) if is_refusal(refusal) => Err(Error::ScheduleRefused(error.into())),
            _ => Err(Error::aws("CreateSchedule")(error)),
        }
    }
}

fn is_refusal(error: &CreateScheduleError) -> bool {
    let code = error.code().unwrap_or_default();
    ["ServiceQuotaExceededException", "ThrottlingException"].contains(&code)
}

/// The name of the schedule of an attempt.
fn name(task: &Task) -> String {
    format!("{}-{}", task.delivery, task.attempt)
}

/// The message that a schedule puts on the retries queue.
fn input(task: Task) -> Result<String, Error> {
    serde_json::to_string(&task.by_reference()).map_err(Error::unsendable("CreateSchedule"))
}

/// When a schedule is due: never early, and in whole seconds, as the scheduler takes it.
fn expression(due: Timestamp) -> String {
    let due = time::format(time::ceil_second(due));
    format!("at({})", due.trim_end_matches('Z'))
}

#[cfg(test)]
mod compat;

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = r#"{"workspace":"ws_1","endpoint":"whe_1","delivery":"del_1","event_id":"evt_1",
        "event":"poster.scanned","attempt":4,"kind":"automatic"}"#;

    #[test]
    fn a_dead_letter_of_the_scheduler_holds_its_task() {
        let letter =
            serde_json::json!({ "MessageBody": TASK, "QueueUrl": "https://sqs.example.com/retries" });

        assert_eq!(undelivered(&letter.to_string()).unwrap().attempt, 4);
    }

    #[test]
    fn anything_else_is_not_a_dead_letter_of_the_scheduler() {
        for other in [
            TASK,
            "{}",
            "no JSON",
            r#"{"MessageBody": "no task"}"#,
            r#"{"MessageBody": 1}"#,
        ] {
            assert!(undelivered(other).is_none(), "{other}");
        }
    }
}
