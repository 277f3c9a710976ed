//! The page and its files, over HTTP.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use http::{StatusCode, header};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::promises::STACK;
use crate::promises::options::FRAME_ANCESTORS;

/// What the page and the files that it names may weigh together, in bytes over the wire.
const MOST_BYTES: usize = 60 * 1024;

/// Asks as a browser does, and shows what came without unpacking it.
async fn get(path: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::builder().no_proxy().no_gzip().redirect(Policy::none());
    let mut request = client
        .build()
        .expect("a client")
        .get(format!("{}{path}", STACK.api_url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

fn header_of(response: &Response, name: impl header::AsHeaderName) -> String {
    let value = response.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn ending(name: &str) -> Option<&str> {
    Path::new(name).extension().and_then(OsStr::to_str)
}

/// The page, and the names of the files that it asks for.
async fn page() -> (String, Vec<String>) {
    let page = get("/dashboard/", &[]).await.text().await.expect("text");
    let names = page
        .split('"')
        .filter(|text| matches!(ending(text), Some("js" | "css")));
    let names = names.map(str::to_owned).collect();
    (page, names)
}

#[tokio::test]
async fn the_dashboard_is_below_a_slash_and_asked_for_again_each_time() {
    let redirect = get("/dashboard", &[]).await;
    assert_eq!(redirect.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(header_of(&redirect, header::LOCATION), "dashboard/");

    let page = get("/dashboard/", &[]).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(header_of(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(header_of(&page, header::CACHE_CONTROL), "no-cache");

    let etag = header_of(&page, header::ETAG);
    let again = get("/dashboard/", &[("if-none-match", &etag)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn its_files_are_compressed_and_kept_for_a_year() {
    let (page, names) = page().await;
    assert!(!names.is_empty());
    let mut weight = page.len();
    for name in names {
        let plain = get(&format!("/dashboard/{name}"), &[]).await;
        assert_eq!(plain.status(), StatusCode::OK, "{name}");
        assert_eq!(header_of(&plain, header::CONTENT_ENCODING), "", "{name}");
        assert_eq!(
            header_of(&plain, header::CACHE_CONTROL),
            "public, max-age=31536000, immutable"
        );

        let packed = get(&format!("/dashboard/{name}"), &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(header_of(&packed, header::CONTENT_ENCODING), "gzip", "{name}");
        assert_eq!(header_of(&packed, header::VARY), "accept-encoding");
        let packed = packed.bytes().await.expect("bytes");
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..])
            .read_to_end(&mut unpacked)
            .expect("gzip");
        assert_eq!(unpacked, plain.bytes().await.expect("bytes"), "{name}");
        weight += packed.len();
    }
    assert!(weight < MOST_BYTES, "{weight} bytes");
}

#[tokio::test]
async fn files_of_another_release_are_not_found() {
    for path in [
        "/dashboard/0123456789abcdef/app.css",
        "/dashboard/app.css",
        "/dashboard/x",
    ] {
        let missing = get(path, &[]).await;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header_of(&missing, header::CACHE_CONTROL), "no-store");
    }
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let (_, names) = page().await;
    let file = format!("/dashboard/{}", names[0]);
    for path in ["/dashboard", "/dashboard/", "/dashboard/x", &file] {
        let answer = get(path, &[]).await;
        let policy = header_of(&answer, header::CONTENT_SECURITY_POLICY);
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{path}: {policy}"
        );
        let frames = format!("frame-ancestors {FRAME_ANCESTORS};");
        assert!(policy.contains(&frames), "{path}: {policy}");
        assert!(
            policy.contains("require-trusted-types-for 'script'"),
            "{path}: {policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header_of(&answer, name), value, "{path}");
        }
    }
    let api = get("/api/integrations/webhooks", &[]).await;
    assert_eq!(header_of(&api, "x-content-type-options"), "nosniff");
}
