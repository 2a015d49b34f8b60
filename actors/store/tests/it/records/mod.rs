//! What every records store must do, generic over the store.

mod audit;
mod contacts;
mod credits;
mod deliveries;
mod documents;
mod erasure;
mod facts;
mod files;
mod inbox;
mod keys;
mod laws;
mod ledger;
mod migration;
mod notifications;
mod postgres;
mod projection;
mod reaches;
mod recharges;
mod server;

use std::path::Path;

use store::records::{Records, SqliteRecords};

use self::postgres::Postgres;
use tempfile::TempDir;

/// A store that can be opened again with what it holds.
trait Backend {
    type Store: Records;

    async fn new() -> Self;
    async fn open(&self) -> Self::Store;
}

/// A new store; the back end must outlive it.
async fn fresh<B: Backend>() -> (B, B::Store) {
    let backend = B::new().await;
    let store = backend.open().await;
    (backend, store)
}

/// A SQLite file in a folder of its own.
struct Sqlite(TempDir);

impl Sqlite {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Backend for Sqlite {
    type Store = SqliteRecords;

    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> SqliteRecords {
        SqliteRecords::open(self.path()).unwrap()
    }
}

/// Runs each function of the suite as a test against a store.
macro_rules! suite {
    ($store:ident: $backend:ident; $($area:ident: $($case:ident),+;)+) => {
        mod $store {$(
            mod $area {$(
                #[tokio::test]
                async fn $case() {
                    super::super::super::$area::$case::<super::super::super::$backend>().await;
                }
            )+}
        )+}
    };
}

/// Both stores run the same suite.
macro_rules! suites {
    ($($cases:tt)+) => {
        mod suite {
            suite! { sqlite: Sqlite; $($cases)+ }
            suite! { postgres: Postgres; $($cases)+ }
        }
    };
}

suites! {
    projection: projects_once, facts_behind_a_gap_are_refused, records_belong_to_one_engine, survives_reopening, rebuilds_what_is_derived, a_failed_batch_changes_nothing,
        events_are_read_in_order, a_cursor_moves_only_from_where_it_stood, sync_answers_what_is_durable;
    inbox: a_conversation_is_shown_as_its_facts_say, blocked_messages_are_kept_apart,
        d10_filters_combine, d10_few_contacts_may_have_many_conversations, d10_a_page_that_is_hard_to_find_says_where_to_go_on, d10_unanswered_until_somebody_replies, pages_have_no_gaps_or_repetitions,
        messages_are_listed_either_way, p3_statuses_never_move_backwards, unmatched_statuses_find_their_message,
        tenants_do_not_see_each_other, filters_are_bounded, windows_are_filtered_by_time;
    contacts: b3_search_finds_words_in_any_order, b3_search_finds_phones, f6_identities_are_merged, f6_a_card_finds_its_person,
        e2_consents_are_kept_per_channel, cards_are_shown_and_survive_a_rebuild, p7_contacts_that_may_not_be_messaged_are_listed, contacts_are_listed;
    erasure: d14_an_erased_contact_leaves_no_trace, d14_who_comes_back_begins_anew,
        d14_a_contact_without_a_conversation_is_erased_at_once, d14_a_card_that_moved_leaves_nothing_but_a_refusal;
    files: d15_the_same_content_is_one_file, d15_uploads_are_kept_per_number, d15_files_of_contacts_are_fetched_later,
        p10_a_number_with_many_files_leaves_room_for_others, d15_files_are_listed_by_conversation_and_contact, d15_files_are_scanned_until_somebody_decides,
        d14_d15_files_go_with_the_contact_unless_others_have_them;
    audit: e5_decisions_are_audited_and_filtered;
    ledger: books_once_with_the_cursor, sums_are_exact, ledger_is_filtered, the_meter_finds_its_memory;
    credits: d9_a_message_is_reserved_then_charged_or_released, d9_a_purchase_counts_once_and_keeps_the_currency,
        d8_answers_need_credits_only_beyond_the_free_tier, p9_messages_at_once_cannot_spend_the_same_credits,
        d9_a_statement_has_what_changed_within_its_span, d9_a_reservation_that_nobody_ends_is_released_once;
    recharges: d9_low_credits_are_told_and_one_payment_is_asked_for,
        d9_a_declined_payment_counts_nowhere_and_ends_once, d9_whoever_looks_at_once_asks_for_one_payment;
    notifications: d12_counts_and_resume, marks_are_kept, old_ones_are_forgotten;
    reaches: d12_who_is_away_is_told_what_they_have_not_read, d12_two_nodes_do_not_tell_at_once, d12_browsers_are_bounded_and_belong_to_one_user;
    deliveries: retries_until_delivered_or_dead;
    documents: writes_all_or_none, equal_bodies_change_nothing, versions_guard_writes, d13_no_two_find_room_for_one, directory_is_loaded;
    keys: a_key_is_claimed_once_for_24_hours, answers_are_kept;
    migration: version_1_is_read;
}
