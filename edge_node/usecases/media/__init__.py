"""Files of messages: noted, fetched after the 200, sealed while they come, read while they may be seen."""
