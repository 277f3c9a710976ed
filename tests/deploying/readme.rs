//! README's commands, from the build to a token, by somebody who has no more rights than `deploy/deployer-policy.json`.

use tests::commands;

use super::{deployer, prepare};

#[tokio::test]
async fn the_commands_of_the_readme_deploy_a_stack_and_issue_a_token() {
    let mut deployer = deployer("readme").await;
    let [id, secret] = prepare(&deployer, "user deploy/deployer-policy.json").await;
    deployer.use_key(&id, &secret);

    let mut printed = Vec::new();
    for command in commands::beginning_with("README.md", "sam build\n") {
        printed.push(deployer.run(&command).await.expect("a command of the readme"));
    }

    let [_, _, outputs, token] = &printed[..] else {
        panic!("the readme has four commands, not {}", printed.len());
    };
    assert!(outputs.contains("ApiUrl"), "{outputs}");
    assert!(token.contains("\"token\": \"efa_sk_"), "{token}");
}
