//! Dollars per million deliveries, from `prices.yaml` and from what was counted.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::pipeline::Work;

const PRICES: &str = include_str!("../prices.yaml");
const BYTES_PER_GB: f64 = 1_073_741_824.0;
const MB_PER_GB: f64 = 1024.0;
const MILLION: f64 = 1e6;

/// The price list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Prices {
    lambda: LambdaPrices,
    sqs: SqsPrices,
    dynamodb: DynamoDbPrices,
    secrets_manager: SecretsManagerPrices,
    scheduler: SchedulerPrices,
    logs: LogPrices,
}

#[derive(Debug, Clone, Deserialize)]
struct LambdaPrices {
    gb_second: f64,
    million_requests: f64,
    full_processor_mb: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct SqsPrices {
    million_requests: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct DynamoDbPrices {
    million_write_units: f64,
    million_read_units: f64,
    storage_gb_month: f64,
    point_in_time_recovery_gb_month: f64,
    item_overhead_bytes: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct SecretsManagerPrices {
    secret_month: f64,
    ten_thousand_calls: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct SchedulerPrices {
    million_invocations: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct LogPrices {
    ingested_gb: f64,
    event_overhead_bytes: f64,
}

/// One line of the bill.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    /// What for.
    pub(crate) what: &'static str,
    /// Dollars per million deliveries.
    pub(crate) dollars: f64,
}

impl Prices {
    /// Reads the list of this repository.
    pub(crate) fn read() -> Result<Self> {
        Ok(serde_yaml_ng::from_str(PRICES)?)
    }

    /// What an endpoint costs in a month, whatever is delivered to it: its secret.
    pub(crate) fn endpoint_month(&self) -> f64 {
        self.secrets_manager.secret_month
    }

    /// What a million deliveries cost if this many took this much work, by functions with this much memory.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(crate) fn per_million(&self, work: &Work, deliveries: usize, memory_mb: f64) -> Vec<Item> {
        let bill = &work.bill;
        let item = |what, total_dollars: f64| Item {
            what,
            dollars: total_dollars / deliveries as f64 * MILLION,
        };
        let million = |count: f64, price: f64| count / MILLION * price;
        let gb_months = self.stored_bytes(work) / BYTES_PER_GB;
        let [writes, reads] = [
            million(bill.write_units, self.dynamodb.million_write_units),
            million(bill.read_units, self.dynamodb.million_read_units),
        ];
        let queues = million(bill.queue_requests as f64, self.sqs.million_requests);
        let invocations = million(work.invocations as f64, self.lambda.million_requests);
        let backup = gb_months * self.dynamodb.point_in_time_recovery_gb_month;
        let secrets = bill.calls_of("Secrets Manager") as f64 / 1e4 * self.secrets_manager.ten_thousand_calls;
        let schedules = million(
            bill.calls_of("Scheduler") as f64,
            self.scheduler.million_invocations,
        );
        vec![
            item("DynamoDB writes", writes),
            item("DynamoDB reads", reads),
            item("SQS requests", queues),
            item("Lambda requests", invocations),
            item(
                "Lambda time",
                self.gb_seconds(work, memory_mb) * self.lambda.gb_second,
            ),
            item(
                "logs",
                self.log_bytes(work) / BYTES_PER_GB * self.logs.ingested_gb,
            ),
            item("storage for a month", gb_months * self.dynamodb.storage_gb_month),
            item("its backup", backup),
            item("Secrets Manager calls", secrets),
            item("Scheduler", schedules),
        ]
    }

    /// How many times as long computing takes with this much memory as with a whole processor.
    pub(crate) fn stretch(&self, memory_mb: f64) -> f64 {
        (self.lambda.full_processor_mb / memory_mb).max(1.0)
    }

    /// Waiting takes as long on Lambda as here, computing takes longer.
    fn gb_seconds(&self, work: &Work, memory_mb: f64) -> f64 {
        let seconds = work.wall_seconds + work.processor_seconds * (self.stretch(memory_mb) - 1.0);
        seconds * memory_mb / MB_PER_GB
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    fn stored_bytes(&self, work: &Work) -> f64 {
        work.bill.stored_bytes as f64 + work.bill.stored_items as f64 * self.dynamodb.item_overhead_bytes
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    fn log_bytes(&self, work: &Work) -> f64 {
        work.log_bytes as f64 + work.log_lines as f64 * self.logs.event_overhead_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(work: &Work, what: &str) -> f64 {
        let items = Prices::read().unwrap().per_million(work, 10, 256.0);
        items.iter().find(|item| item.what == what).unwrap().dollars
    }

    #[test]
    fn two_write_units_a_delivery_cost_twice_their_list_price() {
        let mut work = Work::default();
        work.bill.write_units = 20.0;

        assert!((dollars(&work, "DynamoDB writes") - 1.25).abs() < 1e-9);
        assert!(dollars(&work, "DynamoDB reads").abs() < 1e-9);
    }

    #[test]
    fn a_quarter_of_a_gigabyte_for_a_second_costs_a_quarter_of_a_gigabyte_second() {
        let work = Work {
            wall_seconds: 10.0,
            ..Work::default()
        };

        assert!((dollars(&work, "Lambda time") - 3.333_35).abs() < 1e-9);
    }
}
