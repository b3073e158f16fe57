//! chinwag
