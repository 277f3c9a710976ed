//! The dashboard: how it is served, whether its files fit the API, and what people do with it in a real browser.

mod files;
mod serving;
