//! Reads: what looking at many deliveries reads, writes and takes, counted by the stand-in for AWS.

mod across;
mod list;
mod statistics;

use anyhow::Result;
use local::Binaries;

use crate::progress::Bar as Progress;
use crate::report::Report;
use crate::sizes::Sizes;

/// The section's name.
const SECTION: &str = "reads";

/// Measures all of it.
pub(crate) async fn measure(
    binaries: &Binaries,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    progress.expect(3);
    progress.note("a list over all endpoints");
    across::measure(binaries, sizes.history, report).await?;
    progress.step();
    progress.note("page 1 of a long history");
    list::measure(binaries, sizes.history, report).await?;
    progress.step();
    progress.note("statistics");
    statistics::measure(binaries, sizes.history, report).await?;
    progress.step();
    Ok(())
}
