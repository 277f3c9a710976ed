//! What functions are for, by their names.

use super::perf::KERNEL;

/// What the symbols of a group contain; the first one that fits counts.
const GROUPS: [(&str, &[&str]); 14] = [
    ("the kernel", &[KERNEL]),
    // The names of glibc. It asks the processor what it is and has, which a virtual machine is slow to answer.
    (
        "loading the binary",
        &[
            "_dl_",
            "dl_main",
            "do_lookup_x",
            "check_match",
            "tunables",
            "_init_first",
            "init_cpu_features",
            "update_active",
            "get_common_indices",
            "handle_amd",
            "handle_intel",
        ],
    ),
    (
        "allocation",
        &[
            "malloc",
            "calloc",
            "realloc",
            "free",
            "_int_",
            "sysmalloc",
            "unlink_chunk",
            "__rust_alloc",
            "__rdl_",
            "tcache",
            "mi_",
        ],
    ),
    (
        "copying and comparing memory",
        &["memcpy", "memmove", "memset", "memcmp", "bcmp", "strlen"],
    ),
    (
        "SHA-256 and HMAC",
        &["sha2", "sha256", "SHA256", "sha512", "hmac", "digest"],
    ),
    (
        "signing requests to AWS",
        &["aws_sigv4", "aws_runtime::auth", "aws_credential"],
    ),
    ("this project", &["shared::", "functions::", "webhooks::"]),
    (
        "JSON, and items of DynamoDB",
        &[
            "serde",
            "aws_smithy_json",
            "protocol_serde",
            "ryu",
            "itoa",
            "zmij",
        ],
    ),
    ("the AWS SDK", &["aws_"]),
    ("the runtime of Lambda", &["lambda_"]),
    ("logging", &["tracing"]),
    (
        "HTTP",
        &[
            "hyper", "reqwest", "http", "httparse", "tower", "url", "idna", "h2", "rustls",
        ],
    ),
    ("tokio and futures", &["tokio", "futures", "mio"]),
    ("hashing for maps", &["siphash", "SipHash", "Hasher", "hashbrown"]),
];

/// What a function is for.
pub(super) fn group(function: &str) -> &'static str {
    let fitting = GROUPS
        .iter()
        .find(|(_, parts)| parts.iter().any(|part| function.contains(part)));
    fitting.map_or("other", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_group_that_fits_counts() {
        let symbols = [
            ("[k] free_pages", "the kernel"),
            ("_dl_relocate_object", "loading the binary"),
            ("mi_free", "allocation"),
            ("aws_sigv4::sign::sha256_hex_string", "SHA-256 and HMAC"),
            (
                "aws_smithy_json::serialize::JsonValueWriter",
                "JSON, and items of DynamoDB",
            ),
            ("aws_smithy_runtime::client", "the AWS SDK"),
            ("main", "other"),
        ];

        for (symbol, expected) in symbols {
            assert_eq!(group(symbol), expected, "{symbol}");
        }
    }
}
