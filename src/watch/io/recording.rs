//! Reading the file of a recording.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::core::limits::RECORDING_BYTES_MAX;

/// Reads a recording.
///
/// # Errors
/// The file cannot be read or is too large, with the reason.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let with_path = |why: String| format!("cannot replay {}: {why}", path.display());
    let file = File::open(path).map_err(|e| with_path(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(RECORDING_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| with_path(e.to_string()))?;
    if bytes.len() as u64 > RECORDING_BYTES_MAX {
        let mib = RECORDING_BYTES_MAX / (1024 * 1024);
        return Err(with_path(format!("it has more than {mib} MiB")));
    }
    Ok(bytes)
}
