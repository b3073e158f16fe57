//! Reading the file of a recording.

use std::path::Path;

use crate::client::io::regular_file::read_bounded;
use crate::core::limits::RECORDING_BYTES_MAX;

/// Reads a recording.
///
/// # Errors
/// The file cannot be read or is too large, with the reason.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    read_bounded(path, RECORDING_BYTES_MAX)
        .map_err(|e| format!("cannot replay {}: {}", path.display(), e))
}
