//! Every rule is needed: without it something that must never happen does.

use stateright::{Checker, HasDiscoveries, Model};

use crate::properties::{
    APPLIED_ONCE, FORWARD, GIVEN_UP, NO_STRAY_SEND, NOTHING_LOST, ONE_WRITER, POSTED_ONCE,
};
use crate::protocol::{Protocol, SOUND};

/// The shortest way to a broken promise is printed.
fn breaks(protocol: Protocol, promise: &'static str) {
    let wanted = HasDiscoveries::AnyOf([promise].into());
    let checker = protocol.checker().finish_when(wanted).spawn_bfs().join();
    println!("not so: {promise}: {:#?}", checker.assert_any_discovery(promise).into_actions());
}

#[test]
fn p5_without_a_claim_a_message_leaves_twice() {
    breaks(Protocol { claims: false, ..SOUND }, POSTED_ONCE);
}

#[test]
fn p5_a_claim_that_is_not_waited_for_is_lost_in_a_fail_over() {
    breaks(Protocol { waits_for_replica: false, ..SOUND }, POSTED_ONCE);
}

/// The old owner takes the successor's claim for its own, and takes it back.
#[test]
fn p5_a_token_without_a_nonce_is_mistaken_for_another() {
    breaks(Protocol { nonce: false, ..SOUND }, POSTED_ONCE);
}

#[test]
fn p2_a_token_without_a_nonce_lets_two_nodes_write() {
    breaks(Protocol { nonce: false, checks_generation: false, ..SOUND }, ONE_WRITER);
}

#[test]
fn p3_a_commit_that_ignores_the_position_takes_the_log_back() {
    breaks(Protocol { compares_position: false, ..SOUND }, FORWARD);
}

#[test]
fn p3_a_commit_in_two_halves_applies_an_input_twice() {
    breaks(Protocol { all_or_nothing: false, ..SOUND }, APPLIED_ONCE);
}

#[test]
fn p3_a_store_that_forgets_batches_applies_a_late_copy() {
    breaks(Protocol { remembers_batches: false, ..SOUND }, FORWARD);
}

#[test]
fn p3_a_new_batch_instead_of_the_identical_one_is_overtaken_by_it() {
    breaks(Protocol { repeats_identical: false, ..SOUND }, FORWARD);
}

#[test]
fn p2_without_a_look_at_the_lease_a_stopped_node_sends_when_it_wakes() {
    breaks(Protocol { checks_lease: false, ..SOUND }, NO_STRAY_SEND);
}

#[test]
fn p5_a_claim_of_any_age_is_sent_after_it_was_given_up() {
    breaks(Protocol { checks_age: false, ..SOUND }, GIVEN_UP);
}

/// An entry that was read and then lost has the position of another one.
#[test]
fn p1_a_node_that_misses_a_fail_over_skips_an_input() {
    breaks(Protocol { checks_generation: false, inputs: 2, ..SOUND }, NOTHING_LOST);
}

#[test]
fn p5_a_claim_that_is_taken_back_from_a_rival_leaves_twice() {
    breaks(Protocol { minds_rivals: false, ..SOUND }, POSTED_ONCE);
}
