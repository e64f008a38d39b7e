//! The process: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

/// Called before the runtime of Rust, which opens `/dev/null` in place of a standard output that is closed: after that
/// nobody could tell that lines go nowhere.
#[used]
#[allow(unsafe_code)]
// Safe: the loader calls what stands in this section once, with no other thread there; it makes one system call and
// stores a flag. The library forbids unsafe code.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = look_at_stdout;

extern "C" fn look_at_stdout() {
    if rustix::io::fcntl_getfd(rustix::stdio::stdout()) == Err(rustix::io::Errno::BADF) {
        logcast::commands::out::was_closed();
    }
}

fn main() -> ExitCode {
    logcast::cli::main()
}
