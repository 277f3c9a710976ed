//! The one name that a function has, in the forms that different places want.

/// `createEndpoint` and `CreateEndpoint` are `create-endpoint`.
pub fn kebab(camel: &str) -> String {
    let mut kebab = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

/// `create-endpoint` is `CreateEndpointFunction`.
pub fn in_template(function: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(capitalized).collect::<String>() + "Function"
}
