//! A domain before the API, by the command in `docs/deploying.md`.

use tests::commands;

use super::{deployer, prepare};

#[tokio::test]
async fn the_documented_command_puts_a_domain_before_the_api() {
    let deployer = deployer("domain").await;
    let [api, zone] = prepare(&deployer, "api").await;
    let command = commands::beginning_with(
        "docs/deploying.md",
        "sam deploy --template-file deploy/domain.yaml",
    );
    let command = command.join("\n").replace("Z0123456789ABC", &zone);
    let url = format!("https://{api}.execute-api.us-east-1.amazonaws.com");

    let printed = deployer.run(&format!("export ApiUrl={url}\n{command}")).await;

    let printed = printed.expect("the command of the page");
    assert!(printed.contains("https://webhooks.example.com"), "{printed}");
}
