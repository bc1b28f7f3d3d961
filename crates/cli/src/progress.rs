//! Signs of life on a terminal for what takes longer than a second; nothing anywhere else.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Before this nothing is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does `work`, which tells how many of how many steps are done; a line shows it.
pub fn counted<T>(what: &str, work: impl FnOnce(&mut dyn FnMut(usize, usize)) -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work(&mut |_, _| ());
    }
    let bar = ProgressBar::no_length().with_message(what.to_string());
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len} {elapsed}");
    bar.set_style(style.expect("the template is valid"));
    let result = work(&mut |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    result
}

/// Does `work`; after a second a line says what is being done and for how long.
pub fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    let (done, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // The sender is dropped when the work is done, or unwinds.
            if waiting.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_elapsed(PATIENCE).with_message(what.to_string());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is valid"),
            );
            while waiting.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                bar.tick();
            }
            bar.finish_and_clear();
        });
        let result = work();
        drop(done);
        result
    })
}
