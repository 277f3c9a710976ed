//! A burst of a million events on AWS, simulated: when the last delivery to a healthy endpoint is made, what is used up
//! first, and what moves it.
//!
//! What AWS does is what it documents (`rules`), what the functions do is what the template's parameters and the constants of
//! `shared` say, and nothing is random. Invocations begin and end one by one; `LEFT_OUT` says what is not simulated.

mod bucket;
mod burst;
mod deliver;
mod fan_out;
mod limits;
mod retry;
mod rules;
mod simulation;
mod stack;
mod tables;

use std::time::Duration;

use anyhow::Result;

use self::burst::{Burst, MILLION};
use self::limits::{Held, Limit, Meters};
use self::rules::{Quotas, USUAL};
use self::simulation::{Outcome, Until, run};
use self::stack::Stack;
use crate::progress::Bar;
use crate::report::Report;
use crate::template::Template;

/// The section's name.
const SECTION: &str = "a burst of 1,000,000 events on AWS, simulated";

/// How often a parameter is doubled, one after the other, if that helps.
const MOST_DOUBLINGS: usize = 12;

/// The parameters that a small account lowers.
const NARROW: [&str; 4] = [
    "DeliverMaximumConcurrency",
    "RetriesMaximumConcurrency",
    "FanOutMaximumConcurrency",
    "FailedAttemptsMaximumConcurrency",
];

/// What is not simulated, and on which side that is.
const LEFT_OUT: [&str; 9] = [
    "The producer: all events are on the queue when it begins.",
    "Start-up of processes, and how busy a receiver gets: each answers after 250 ms however many ask.",
    "Times of calls: each takes 5 ms. Processor time is what docs/performance.md says, with the memory of the template.",
    "SQS: it hands out messages in the order in which they came and as fast as they are asked for. That it prefers those of \
     quiet endpoints makes the retries better than here.",
    "Receives that a throttled invocation costs: a batch that has no place waits on its queue.",
    "The waits between two tries of a throttled write, up to 0.8 s each, and that fan-out hands back what is throttled for 3 s.",
    "Burst capacity and quicker growth of tables, on which AWS gives no promise; CloudWatch Logs; API requests.",
    "Markers of late deliveries: a write unit more if half an hour has passed before the first attempt.",
    "That endpoints are disabled: those that fail here would be after five days.",
];

/// A stack and a burst, and how both differ from what is usual.
struct Scenario {
    name: String,
    template: Template,
    quotas: Quotas,
    burst: Burst,
}

/// Simulates all scenarios.
pub(crate) fn simulate(report: &mut Report, progress: &Bar) -> Result<()> {
    progress.expect(MOST_DOUBLINGS + 1);
    let template = Template::read()?;
    raise(&template, report, progress)?;
    for scenario in others(&template)? {
        progress.note(&scenario.name);
        scenario.tell(report, &scenario.run(Until::HealthyAreDelivered)?)?;
    }
    to_the_end(&template, report)?;
    progress.step();
    for sentence in LEFT_OUT {
        report.note(SECTION, sentence);
    }
    Ok(())
}

impl Scenario {
    /// The million on the stack of a template.
    fn of(name: &str, template: Template) -> Self {
        Self {
            name: name.to_owned(),
            template,
            quotas: USUAL,
            burst: MILLION,
        }
    }

    fn run(&self, until: Until) -> Result<Outcome> {
        let stack = Stack::of(&self.template)?;
        Ok(run(&stack, self.quotas, self.burst, until))
    }
}

/// Doubles the parameter that holds deliveries up longest, as long as that helps.
fn raise(template: &Template, report: &mut Report, progress: &Bar) -> Result<()> {
    let mut scenario = Scenario::of("the template's parameters", template.clone());
    let mut outcome = scenario.run(Until::HealthyAreDelivered)?;
    scenario.tell(report, &outcome)?;
    for _ in 0..MOST_DOUBLINGS {
        progress.step();
        let Some((parameter, value)) = doubled(&scenario.template, &outcome.meters)? else {
            break;
        };
        scenario = Scenario::of(
            &format!("and {parameter}={value}"),
            scenario.template.with(&parameter, value)?,
        );
        progress.note(&scenario.name);
        let next = scenario.run(Until::HealthyAreDelivered)?;
        scenario.tell(report, &next)?;
        if next.last_delivered >= outcome.last_delivered {
            break;
        }
        outcome = next;
    }
    Ok(())
}

/// The parameter that moves what held deliveries up longest, and twice its value, if there is one.
fn doubled(template: &Template, meters: &Meters) -> Result<Option<(String, u64)>> {
    let Some((Limit::Maximum(source), _)) = meters.longest() else {
        return Ok(None);
    };
    let source = template.queue_source(source.queue())?;
    let parameter = source.concurrency_parameter;
    let most = template.most(&parameter).unwrap_or(u64::MAX);
    let now = u64::try_from(source.maximum_concurrency)?;
    Ok((now < most).then(|| (parameter, most.min(now * 2))))
}

/// Other stacks, accounts and bursts.
fn others(template: &Template) -> Result<Vec<Scenario>> {
    let new_account = NARROW.iter().try_fold(template.clone(), |template, parameter| {
        template.with(parameter, 2)
    })?;
    let large = template
        .with("BatchSize", 100)?
        .with("BatchingWindowSeconds", 1)?;
    let wide = template
        .with("DeliverMaximumConcurrency", 1000)?
        .with("FanOutMaximumConcurrency", 1000)?;
    let mut scenarios = vec![
        Scenario::of("a new account: concurrency 10", template.clone()),
        Scenario::of("the same, two places a queue", new_account),
        Scenario::of("batches of 100, window 1 s", large),
        Scenario::of("1,000 places for events and deliveries", wide.clone()),
        Scenario::of(
            "the same, tables that took 20,000 writes a second before",
            wide.clone(),
        ),
        Scenario::of("the same, all events of one workspace with 100 endpoints", wide),
    ];
    scenarios[0].quotas.concurrency = 10;
    scenarios[1].quotas.concurrency = 10;
    scenarios[4].quotas.write_peak = 20_000.0;
    scenarios[5].quotas.write_peak = 20_000.0;
    scenarios[5].burst = Burst {
        workspaces: 1,
        endpoints: 100,
        failing: 10,
        ..MILLION
    };
    Ok(scenarios)
}

/// What becomes of the failing deliveries, in the end.
fn to_the_end(template: &Template, report: &mut Report) -> Result<()> {
    let retries = template.with("RetriesMaximumConcurrency", 200)?;
    for scenario in [
        Scenario::of("the template's parameters", template.clone()),
        Scenario::of("with RetriesMaximumConcurrency=200", retries),
    ] {
        let outcome = scenario.run(Until::EverythingHasEnded)?;
        let name = |what: &str| format!("{what}, {}", scenario.name);
        let held = outcome.meters_to_the_end.by_time().into_iter();
        let retrying = held.filter(|(limit, _)| !limit.is_on_the_way_of_what_succeeds());
        let longest = retrying.max_by_key(|(_, held)| held.time);
        let remark = scenario.held_up(longest)?;
        let first = outcome.last_first_failure.as_secs_f64();
        report.remark(
            SECTION,
            name("last first attempt at an endpoint that fails"),
            first,
            "s",
            remark,
        );
        let hours = outcome.last_ended.as_secs_f64() / 3600.0;
        report.add(SECTION, name("last delivery that fails ends"), hours, "h");
        report.add(
            SECTION,
            name("most schedules at a time"),
            as_f64(outcome.most_schedules),
            "",
        );
    }
    Ok(())
}

impl Scenario {
    /// Tells when the last delivery to a healthy endpoint is made, and what held it up.
    fn tell(&self, report: &mut Report, outcome: &Outcome) -> Result<()> {
        let longest = self.held_up(outcome.meters.longest())?;
        let first = match outcome.meters.first() {
            Some((limit, held)) => format!("first {} at {} s", self.name_of(limit)?, rounded(held.first)),
            None => "nothing else".to_owned(),
        };
        let last = outcome.last_delivered.as_secs_f64();
        let half = rounded(outcome.half_delivered);
        let remark = format!("half by {half} s; held up by {longest}; {first}");
        report.remark(SECTION, &self.name, last, "s", remark);
        Ok(())
    }

    /// A limit, for how long it was in the way, and what moves it.
    fn held_up(&self, held: Option<(Limit, Held)>) -> Result<String> {
        let Some((limit, held)) = held else {
            return Ok("nothing".to_owned());
        };
        let moved = limit.moved_by().map_or(String::new(), |how| format!(": {how}"));
        Ok(format!(
            "{} ({} s{moved})",
            self.name_of(limit)?,
            rounded(held.time)
        ))
    }

    /// The parameter that a limit is, or what it is instead.
    fn name_of(&self, limit: Limit) -> Result<String> {
        Ok(match limit {
            Limit::Maximum(source) => self.template.queue_source(source.queue())?.concurrency_parameter,
            other => other.to_string(),
        })
    }
}

/// Seconds, to a tenth.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
