-- `seq` tells the order of arrival, and `entry_due` what has waited for longest: every arrival paid for these two, and only a metric
-- and retention read them.
DROP INDEX entry_received;
DROP INDEX entry_pending_received;
