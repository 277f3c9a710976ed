//! The files of `dashboard/`, put here by `build.rs`.

// `HASH`, one over all files, and `FILES`.
include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// A file as the browser asks for it.
#[derive(Debug)]
pub(super) struct File {
    name: &'static str,
    /// Its bytes as they are.
    pub(super) plain: &'static [u8],
    /// Its bytes compressed.
    pub(super) gzip: &'static [u8],
}

impl File {
    /// What it is, by the end of its name.
    pub(super) fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "text/javascript; charset=utf-8",
        }
    }
}

/// The file of this name, with its folder.
pub(super) fn named(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn text(file: &File) -> &'static str {
        std::str::from_utf8(file.plain).unwrap()
    }

    /// What follows each `before` in a text, up to `after`.
    fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
        text.split(before)
            .skip(1)
            .filter_map(move |rest| rest.split(after).next())
    }

    /// The name of a file that another one imports.
    fn imported(by: &File, path: &str) -> String {
        let mut parts: Vec<_> = by.name.split('/').collect();
        parts.pop();
        for part in path.split('/') {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                name => parts.push(name),
            }
        }
        parts.join("/")
    }

    #[test]
    fn every_file_that_another_one_names_is_there() {
        for file in FILES {
            let imports = between(text(file), " from './", '\'').map(|rest| format!("./{rest}"));
            let above = between(text(file), " from '../", '\'').map(|rest| format!("../{rest}"));
            for path in imports.chain(above) {
                let name = imported(file, &path);
                assert!(named(&name).is_some(), "{} imports {name}", file.name);
            }
        }
        let page = named("index.html").unwrap();
        let before = format!("\"{HASH}/");
        let assets: BTreeSet<_> = between(text(page), &before, '"').collect();
        assert!(assets.contains("js/app.js"), "{assets:?}");
        for asset in assets {
            assert!(named(asset).is_some(), "the page names {asset}");
        }
    }

    #[test]
    fn no_file_has_a_script_or_a_style_that_the_policy_forbids() {
        let page = text(named("index.html").unwrap());
        for forbidden in [
            "<style",
            " style=",
            "<script>",
            " onload=",
            " onclick=",
            " onerror=",
            "javascript:",
        ] {
            assert!(!page.contains(forbidden), "the page has {forbidden}");
        }
        for file in FILES.iter().filter(|file| file.name.starts_with("js/")) {
            for forbidden in [
                "innerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                " style=${",
                "localStorage.",
            ] {
                assert!(!text(file).contains(forbidden), "{} has {forbidden}", file.name);
            }
        }
    }

    #[test]
    fn what_is_compressed_is_smaller() {
        for file in FILES {
            assert!(file.gzip.len() < file.plain.len(), "{}", file.name);
            assert_eq!(&file.gzip[..2], [0x1f, 0x8b], "{}", file.name);
        }
    }
}
