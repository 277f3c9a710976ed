//! `GET /dashboard` and below: the dashboard, whose files are compiled in. It is a client of the API like any other, so
//! this needs no token, reads nothing and calls nothing.

mod files;

use lambda_http::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use lambda_http::http::{Response, StatusCode};
use lambda_http::{Body, Request, RequestExt};
use shared::config::Config;

use self::files::File;
use crate::serve::Site;

/// The function `dashboard`.
pub const SITE: Site = Site {
    variables: &["DASHBOARD_FRAME_ANCESTORS"],
    handler: answer,
};

/// Every answer has these. A header is a promise to the browser, not to us: see `docs/dashboard.md`.
const HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    // Not for subdomains: those of the dashboard's domain are not ours.
    ("strict-transport-security", "max-age=63072000"),
];

/// What a file may do whose address holds its hash: be kept for a year, unasked.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    /// The dashboard without its slash, below which its files are.
    Slash,
    Page,
    File(&'a str),
}

fn answer(config: &Config, request: &Request) -> Response<Body> {
    let parameters = request.path_parameters_ref();
    let below = parameters.and_then(|parameters| parameters.first("proxy"));
    let mut response = match wanted(request.uri().path(), below) {
        // Relative, because a custom domain may have a path in front.
        Wanted::Slash => status(StatusCode::PERMANENT_REDIRECT, header::LOCATION, "dashboard/"),
        Wanted::Page => page(request.headers()),
        Wanted::File(name) => asset(request.headers(), name),
    };
    protect(response.headers_mut(), &config.frame_ancestors);
    response
}

/// What a path asks for, of which the gateway has matched what is below `/dashboard/`.
fn wanted<'a>(path: &str, below: Option<&'a str>) -> Wanted<'a> {
    match below.unwrap_or_default() {
        "" if path.ends_with('/') => Wanted::Page,
        "" => Wanted::Slash,
        name => Wanted::File(name),
    }
}

/// The page, which is asked for again each time and names the files of its release.
fn page(headers: &HeaderMap) -> Response<Body> {
    let etag = format!("W/\"{}\"", files::HASH);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut response = match files::named("index.html") {
        _ if known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag)) => {
            status(StatusCode::NOT_MODIFIED, header::CACHE_CONTROL, "no-cache")
        }
        Some(file) => content(file, headers, "no-cache"),
        None => nothing(),
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// A file of this release; those of others are gone.
fn asset(headers: &HeaderMap, name: &str) -> Response<Body> {
    let name = name
        .strip_prefix(files::HASH)
        .and_then(|name| name.strip_prefix('/'));
    let file = name.filter(|name| *name != "index.html").and_then(files::named);
    file.map_or_else(nothing, |file| content(file, headers, IMMUTABLE))
}

fn content(file: &'static File, headers: &HeaderMap, cache: &'static str) -> Response<Body> {
    let compress = accepts_gzip(headers);
    let bytes = if compress { file.gzip } else { file.plain };
    let mut response = Response::new(Body::Binary(bytes.to_vec()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if compress {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn nothing() -> Response<Body> {
    status(StatusCode::NOT_FOUND, header::CACHE_CONTROL, "no-store")
}

fn status(status: StatusCode, name: HeaderName, value: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}

/// Says what the page may load and who may frame it. Scripts make no markup of strings, except through the policy of the
/// one library that does (<https://developer.mozilla.org/en-US/docs/Web/API/Trusted_Types_API>).
fn protect(headers: &mut HeaderMap, frame_ancestors: &str) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}; \
         require-trusted-types-for 'script'; trusted-types lit-html"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| {
        accepted.split(',').any(|encoding| {
            let (name, weight) = encoding.split_once(';').unwrap_or((encoding, ""));
            let refused = weight
                .trim()
                .trim_start_matches("q=")
                .parse::<f32>()
                .is_ok_and(|weight| weight <= 0.0);
            name.trim().eq_ignore_ascii_case("gzip") && !refused
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    fn of<'a>(response: &'a Response<Body>, name: &HeaderName) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn the_page_is_below_a_slash_whatever_is_in_front() {
        assert_eq!(wanted("/dashboard", None), Wanted::Slash);
        assert_eq!(wanted("/hooks/dashboard", Some("")), Wanted::Slash);
        assert_eq!(wanted("/dashboard/", None), Wanted::Page);
        assert_eq!(wanted("/dashboard/", Some("")), Wanted::Page);
        assert_eq!(
            wanted("/dashboard/a/b.js", Some("a/b.js")),
            Wanted::File("a/b.js")
        );
    }

    #[test]
    fn the_page_is_asked_for_again_and_sent_only_if_it_has_changed() {
        let first = page(&HeaderMap::new());
        let again = page(&headers(header::IF_NONE_MATCH, of(&first, &header::ETAG)));
        let changed = page(&headers(header::IF_NONE_MATCH, "W/\"other\""));

        assert_eq!(
            (first.status(), of(&first, &header::CACHE_CONTROL)),
            (StatusCode::OK, "no-cache")
        );
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(changed.status(), StatusCode::OK);
    }

    #[test]
    fn files_of_this_release_may_be_kept_and_others_are_not_found() {
        let none = HeaderMap::new();
        let ours = asset(&none, &format!("{}/js/app.js", files::HASH));

        assert_eq!(
            (ours.status(), of(&ours, &header::CACHE_CONTROL)),
            (StatusCode::OK, IMMUTABLE)
        );
        for other in [
            "0123456789abcdef/js/app.js",
            "js/app.js",
            "index.html",
            "../Cargo.toml",
        ] {
            assert_eq!(asset(&none, other).status(), StatusCode::NOT_FOUND, "{other}");
        }
        let page = format!("{}/index.html", files::HASH);
        assert_eq!(asset(&none, &page).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn files_are_compressed_for_whoever_takes_that() {
        for (accepted, encoding) in [
            ("gzip, deflate, br, zstd", "gzip"),
            ("GZIP;q=0.5", "gzip"),
            ("br", ""),
            ("gzip;q=0", ""),
            ("identity", ""),
        ] {
            let page = page(&headers(header::ACCEPT_ENCODING, accepted));
            assert_eq!(of(&page, &header::CONTENT_ENCODING), encoding, "{accepted}");
        }
    }

    #[test]
    fn every_answer_says_what_the_page_may_do() {
        let mut headers = HeaderMap::new();

        protect(&mut headers, "https://app.example.com");

        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(
            policy.contains("; frame-ancestors https://app.example.com; "),
            "{policy}"
        );
        assert!(
            policy.ends_with("require-trusted-types-for 'script'; trusted-types lit-html"),
            "{policy}"
        );
        assert_eq!(headers.len(), HEADERS.len() + 1);
    }
}
