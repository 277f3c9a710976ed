//! All Lambda functions in one binary: the template's `Handler` names the one that a process is.

use functions::api::{
    cancel_recovery, create_endpoint, create_recovery, create_session, delete_endpoint, get_delivery,
    get_endpoint, get_event, get_recovery, get_stats, get_token, list_all_deliveries, list_deliveries,
    list_endpoints, list_event_types, list_recoveries, retry_delivery, rotate_secret, send_test_event,
    update_endpoint,
};
use functions::consumers::{announce, deliver, fan_out, purge, recover, retry};
use functions::dashboard;
use functions::operator::{create_portal_link, erase_workspace, issue_token, list_tokens, revoke_token};
use functions::serve::{self, Function};

/// A delivery takes hundreds of allocations, most of them short-lived and of the AWS clients. The system's allocator takes
/// five times as many instructions for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Every function there is, by its handler's name.
pub(crate) const FUNCTIONS: &[(&str, Function)] = &[
    ("create-endpoint", Function::Route(create_endpoint::ROUTE)),
    ("list-endpoints", Function::Route(list_endpoints::ROUTE)),
    ("get-endpoint", Function::Route(get_endpoint::ROUTE)),
    ("update-endpoint", Function::Route(update_endpoint::ROUTE)),
    ("rotate-secret", Function::Route(rotate_secret::ROUTE)),
    ("delete-endpoint", Function::Route(delete_endpoint::ROUTE)),
    ("list-deliveries", Function::Route(list_deliveries::ROUTE)),
    ("list-all-deliveries", Function::Route(list_all_deliveries::ROUTE)),
    ("get-delivery", Function::Route(get_delivery::ROUTE)),
    ("get-event", Function::Route(get_event::ROUTE)),
    ("get-stats", Function::Route(get_stats::ROUTE)),
    ("retry-delivery", Function::Route(retry_delivery::ROUTE)),
    ("send-test-event", Function::Route(send_test_event::ROUTE)),
    ("create-recovery", Function::Route(create_recovery::ROUTE)),
    ("list-recoveries", Function::Route(list_recoveries::ROUTE)),
    ("get-recovery", Function::Route(get_recovery::ROUTE)),
    ("cancel-recovery", Function::Route(cancel_recovery::ROUTE)),
    ("list-event-types", Function::Route(list_event_types::ROUTE)),
    ("get-token", Function::Route(get_token::ROUTE)),
    ("create-session", Function::OpenRoute(create_session::ROUTE)),
    ("fan-out", Function::Consumer(fan_out::CONSUMER)),
    ("deliver", Function::Consumer(deliver::CONSUMER)),
    ("retry", Function::Consumer(retry::CONSUMER)),
    ("recover", Function::Consumer(recover::CONSUMER)),
    ("purge", Function::Consumer(purge::CONSUMER)),
    ("announce", Function::StreamReader(announce::STREAM_READER)),
    (
        "create-portal-link",
        Function::Command(create_portal_link::COMMAND),
    ),
    ("erase-workspace", Function::Command(erase_workspace::COMMAND)),
    ("issue-token", Function::Command(issue_token::COMMAND)),
    ("list-tokens", Function::Command(list_tokens::COMMAND)),
    ("revoke-token", Function::Command(revoke_token::COMMAND)),
    ("dashboard", Function::Site(dashboard::SITE)),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve::run(FUNCTIONS).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use functions::serve::Function;
    use shared::domain::token::Scope;

    use super::FUNCTIONS;

    /// What a token with this one scope may do.
    fn allowed(held: Scope) -> BTreeSet<&'static str> {
        let routes = FUNCTIONS.iter().filter_map(|(name, function)| match function {
            Function::Route(route) => Some((*name, route.scope)),
            _ => None,
        });
        let allowed = routes.filter(|(_, needed)| needed.is_none_or(|needed| held.includes(needed)));
        allowed.map(|(name, _)| name).collect()
    }

    #[test]
    fn each_scope_allows_exactly_its_routes() {
        let retrying = [
            "retry-delivery",
            "send-test-event",
            "create-recovery",
            "cancel-recovery",
        ];
        let changing = [
            "create-endpoint",
            "update-endpoint",
            "rotate-secret",
            "delete-endpoint",
        ];
        let routes = FUNCTIONS.iter().filter_map(|(name, function)| match function {
            Function::Route(_) => Some(*name),
            _ => None,
        });
        let looking = routes.filter(|name| name.starts_with("get-") || name.starts_with("list-"));

        let of_retry: BTreeSet<_> = retrying.into_iter().chain(["get-token"]).collect();
        assert_eq!(allowed(Scope::Retry), of_retry);
        assert_eq!(allowed(Scope::Write), &of_retry | &changing.into());
        assert_eq!(allowed(Scope::Read), looking.collect());
    }

    #[test]
    fn a_link_is_all_that_is_exchanged_without_a_token() {
        let open = FUNCTIONS.iter().filter_map(|(name, function)| match function {
            Function::OpenRoute(_) => Some(*name),
            _ => None,
        });

        assert_eq!(open.collect::<Vec<_>>(), ["create-session"]);
    }

    #[test]
    fn the_handlers_of_the_template_are_these_and_each_is_of_one_function() {
        let template = include_str!("../../template.yaml");
        let handlers = template
            .lines()
            .filter_map(|line| line.strip_prefix("      Handler: "));
        let handlers: Vec<_> = handlers.collect();
        let names: BTreeSet<_> = FUNCTIONS.iter().map(|(name, _)| *name).collect();

        assert_eq!(handlers.len(), FUNCTIONS.len());
        assert_eq!(handlers.into_iter().collect::<BTreeSet<_>>(), names);
    }

    #[test]
    fn every_variable_that_a_function_uses_is_in_the_template() {
        let template = include_str!("../../template.yaml");
        let of_all = |variable: &str| template.contains(&format!("\n        {variable}: !"));
        for (name, function) in FUNCTIONS {
            let handler = format!("\n      Handler: {name}\n");
            let own = template.split("\n\n").find(|block| block.contains(&handler));
            let given = |variable: &str| {
                let line = format!("\n          {variable}: !");
                of_all(variable) || own.is_some_and(|block| block.contains(&line))
            };
            let unknown: Vec<_> = function
                .variables()
                .iter()
                .filter(|variable| !given(variable))
                .collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?}");
        }
    }
}
