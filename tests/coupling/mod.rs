//! What must agree although nothing but a reader connects it: the template, the code, the documents.

mod access;
mod documents;
mod features;
mod golden;
mod insight;
mod names;
mod parameters;
mod promised;
mod template;
mod time_outs;
mod tools;
