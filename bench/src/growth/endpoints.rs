//! More endpoints in one workspace, each of which gets every event.

use std::time::Duration;

use anyhow::Result;
use local::Binaries;
use local::receiver::Receiver;

use super::{BATCH, PAYLOAD_BYTES, SECTION, count, rate};
use crate::pipeline::Pipeline;
use crate::report::{Report, count_of_endpoints};
use crate::stack::Client;

/// The numbers of endpoints; the last is the template's limit.
pub(super) const COUNTS: [usize; 3] = [1, 10, 100];

/// Measures one number of endpoints.
pub(super) async fn measure(
    client: &Client,
    binaries: &Binaries,
    endpoints: usize,
    deliveries: usize,
    report: &mut Report,
) -> Result<()> {
    let what = count_of_endpoints(endpoints);
    let receiver = Receiver::start_ok().await?;
    let urls: Vec<_> = (0..endpoints)
        .map(|number| receiver.url(&format!("/{number}")))
        .collect();
    let ids = client.create_endpoints(&urls).await?;
    let rate = rate(client, &receiver, endpoints, deliveries).await?;
    client.delete_endpoints(&ids).await?;
    report.add(SECTION, format!("{what}: rate"), rate, "deliveries/s");
    let mut pipeline = Pipeline::start(binaries, Duration::ZERO, &urls).await?;
    // Fetches all secrets.
    let first = pipeline.events(1, PAYLOAD_BYTES);
    pipeline.run(&first, BATCH).await?;
    count(&mut pipeline, deliveries, &what, report).await
}
