-- `seq` tells the order of arrival, and `entry_due` what has waited for longest: every arrival paid for these two, and only a metric
-- and retention read them.
DROP INDEX entry_received;
DROP INDEX entry_pending_received;

-- Pending, and waits for nothing but its time. 0 too while it waits for the running entry of its lane: nobody looks at it then.
UPDATE entry SET ready = 0 WHERE state <> 'pending' AND ready = 1;
DROP INDEX entry_due;
CREATE INDEX entry_due ON entry (due_at) WHERE ready = 1;
