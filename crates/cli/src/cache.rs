//! `vyre cache`: what is on disk of programs that were compiled and of devices that were measured, and how to be rid of
//! it.

use crate::args::CacheCommand;
use crate::devices::bandwidths;
use crate::failure::{Failure, failed, file_error};
use crate::show::bytes;
use serde_json::json;
use vyre::{DiskCache, DiskCacheConfig};

/// Shows or clears the disk cache; gives what to print on standard output.
pub fn cache(command: CacheCommand, as_json: bool) -> Result<String, Failure> {
    let Some(config) = DiskCacheConfig::from_environment() else {
        return Ok(match as_json {
            true => format!("{:#}\n", json!({ "directory": null })),
            false => "the disk cache is off: VYRE_CACHE_DIR is empty or `off`, or there is no directory for caches\n"
                .into(),
        });
    };
    let directory = config.directory.display().to_string();
    let limit = config.bytes;
    let cache = DiskCache::new(config);
    let error = |what: &str, error| failed(file_error(what, &cache.config().directory, &error));
    let (text, document) = match command {
        CacheCommand::Stats => {
            let usage = cache.usage().map_err(|e| error("read", e))?;
            let text =
                format!("{}, {} of at most {}", programs(usage.entries), bytes(usage.bytes), bytes(limit));
            let document = json!({
                "directory": directory, "entries": usage.entries, "bytes": usage.bytes, "limit": limit,
            });
            (text, document)
        }
        CacheCommand::Clear => {
            let removed = cache.clear().map_err(|e| error("clear", e))?;
            let rates = bandwidths().clear().map_err(|e| error("clear", e))?.entries;
            let mut text = format!("{} removed, {}", programs(removed.entries), bytes(removed.bytes));
            if rates > 0 {
                text += &format!("; measured memory bandwidths removed: {rates}");
            }
            let document = json!({
                "directory": directory, "removed_entries": removed.entries, "removed_bytes": removed.bytes,
                "removed_bandwidths": rates,
            });
            (text, document)
        }
    };
    Ok(if as_json { format!("{document:#}\n") } else { format!("{directory}: {text}\n") })
}

fn programs(n: u64) -> String {
    format!("{n} compiled program{}", if n == 1 { "" } else { "s" })
}
