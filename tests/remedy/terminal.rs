//! The program at a terminal, with a person who answers its first question.

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read as _, Write as _};

/// What the program shows at a terminal until it ends; `typed` answers its first question, and all others get `no`. `more`: variables, arguments
/// beside `words`.
pub(crate) fn at_a_terminal(words: &[&str], more: impl FnOnce(&mut CommandBuilder), typed: &str) -> String {
    watched(words, more, typed, |_| ())
}

/// The same; `sees` gets all that was shown so far, each time that something is.
pub(crate) fn watched(
    words: &[&str],
    more: impl FnOnce(&mut CommandBuilder),
    typed: &str,
    mut sees: impl FnMut(&str),
) -> String {
    let size = PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut program = CommandBuilder::new(env!("CARGO_BIN_EXE_sitewarden"));
    program.args(words);
    more(&mut program);
    let mut child = pair.slave.spawn_command(program).unwrap();
    drop(pair.slave);
    let (mut reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let (mut shown, mut answered, mut buffer) = (Vec::new(), 0, [0; 4096]);
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
        sees(&String::from_utf8_lossy(&shown));
        let asked = String::from_utf8_lossy(&shown).matches("anything else does nothing: ").count();
        while answered < asked {
            writer.write_all(if answered == 0 { typed.as_bytes() } else { b"no\r" }).unwrap();
            answered += 1;
        }
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}
