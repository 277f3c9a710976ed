//! The Lambda functions: the boundary to API Gateway, SQS and DynamoDB streams. One handler per route in `api`,
//! one per queue in `consumers`, one per operator's command in `operator`, the `dashboard`; everything said once in the other modules.
//! Which functions there are, `main` says.

pub mod answer;
pub mod api;
pub mod app;
pub mod consumers;
pub mod dashboard;
pub mod operator;
pub mod page;
pub mod problem;
pub mod request;
pub mod serve;
pub mod view;
