//! Findings for people (`text`) and for programs (`json`), and `clean`, through which everything goes that a node sent
//! before it reaches a screen.

mod clean;
mod grouped;
mod json;
mod text;

pub use clean::{clean, columns, fit, wrap};
pub use json::json;
pub use text::{TextOptions, text};
