//! What the protocol insists on. Each switch that is off is a mutation: the model must find what it breaks.

/// The rules, and the size of the world that they are tried in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    /// A message is claimed by a commit before it is POSTed.
    pub(crate) claims: bool,
    /// A commit that claims is answered when the replica has it.
    pub(crate) waits_for_replica: bool,
    /// Tokens are compared as a whole, not by their number alone.
    pub(crate) nonce: bool,
    /// A commit says where the log stood, and is refused if it stands elsewhere.
    pub(crate) compares_position: bool,
    /// A commit writes position and state together.
    pub(crate) all_or_nothing: bool,
    /// The store knows the newest batches.
    pub(crate) remembers_batches: bool,
    /// After a lost answer the identical batch is sent again.
    pub(crate) repeats_identical: bool,
    /// The lease is looked at just before the POST.
    pub(crate) checks_lease: bool,
    /// A claim that waited too long is not POSTed.
    pub(crate) checks_age: bool,
    /// Leases, reads and commits of an earlier incarnation of the store count for nothing.
    pub(crate) checks_generation: bool,
    /// A claim whose commit was lost is taken back only if nobody owned the shard in between.
    pub(crate) minds_rivals: bool,
    /// Nodes are alike.
    pub(crate) nodes: u8,
    /// Inputs from outside; each asks for one message.
    pub(crate) inputs: u8,
    /// How much may go wrong in one run.
    pub(crate) faults: u8,
    /// Leases granted in one run.
    pub(crate) leases: u8,
}

/// As the code does it, in a world of some ten thousand states.
pub(crate) const SOUND: Protocol = Protocol {
    claims: true,
    waits_for_replica: true,
    nonce: true,
    compares_position: true,
    all_or_nothing: true,
    remembers_batches: true,
    repeats_identical: true,
    checks_lease: true,
    checks_age: true,
    checks_generation: true,
    minds_rivals: true,
    nodes: 2,
    inputs: 1,
    faults: 2,
    leases: 3,
};
