"""What goes, when, and what keeps it: removal, erasure, retention, holds, duties of the law."""
