//! The `gateway` binary.

use std::process::ExitCode;

/// Actors are many small allocations of mixed age: mimalloc keeps them denser than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gateway::cli::run()
}
