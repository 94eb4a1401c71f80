//! The program: everything is in the library.

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Neither stream stays locked: the screens draw on standard output, progress goes to standard error.
    ExitCode::from(sitewarden::cli::run(std::env::args_os(), &mut stdout(), &mut stderr()))
}
