/**
 * Faults that the stores still have. While a switch is true the reference lets that one fault pass, beside what is right; mend the
 * fault, set its switch to false, and once it stays mended remove the switch and what asks for it.
 */
export const known: Readonly<Record<KnownFault, boolean>> = {
  /** Right: a lost entry that has to wait lets the next of its lane go on at once. */
  lostEntryBlocksLane: true,
  /** Right: how long a lost entry waits goes by its lost attempts since it was received or replayed, not by all of them. */
  lossesCountAllAttempts: true,
  /** Right: only the replay of a handled entry is a wish to run it again; any other is still settled by its handled twin. */
  replayForgetsTwin: true,
  /** Right: a twin that was handled counts, also while it is replayed, and whatever becomes of it then. */
  replayedTwinCountsAsUnhandled: true,
  /** Right: where one server owns the store, its leases end when they are settled or with the process, whatever the clock says. */
  ownLeasesRunOut: true,
  /** Right: what was due stays due when the clock is set back; nothing waits longer than its own delay by that alone. */
  clockSetBackStopsWork: true,
  /** Right: the replay of an entry that waits for its lane makes it claimable at once when nothing of its lane runs any more. */
  replayLeavesHeldBack: true,
  /** Right: retention drops handled and unhandled entries and their bodies; dead and parked ones stay. */
  retentionDropsSetAside: true,
  /** Right: what was settled or lost stays so: that lease settles nothing ever after, whatever number the running attempt has. */
  endedLeaseSettlesReplay: true,
}

type KnownFault =
  | 'lostEntryBlocksLane'
  | 'lossesCountAllAttempts'
  | 'replayForgetsTwin'
  | 'replayedTwinCountsAsUnhandled'
  | 'ownLeasesRunOut'
  | 'clockSetBackStopsWork'
  | 'replayLeavesHeldBack'
  | 'retentionDropsSetAside'
  | 'endedLeaseSettlesReplay'
