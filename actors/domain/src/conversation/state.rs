//! The state of one conversation, and its stored form.

use protocol::command::{Consent, ConsentRecord, Mode, Owner, Vacancy};
use protocol::entry::{Address, Happening, Identity};
use protocol::id::{ProviderId, UserId};
use protocol::phone::{ContactKey, E164};
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::outbound::{Outgoing, Recent};
use super::pair_limit::PairLimit;
use super::parked::Parked;
use super::seen::{Seen, seen_key};
use super::timer;
use super::window::Window;
use crate::flow::FlowRun;

/// Version of the stored form, written before every snapshot.
pub const SNAPSHOT_VERSION: u8 = 2;
/// The version before it, which ended before the followers.
const WITHOUT_FOLLOWERS: u8 = 1;
/// Nothing, as it is stored.
const NONE: u8 = 0;

/// Everything that a conversation needs to decide. Bounded, see [`crate::limits`]; what is rare is boxed, since
/// hundreds of thousands of these are alive at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// Who talks with whom.
    pub address: Address,
    /// Every name of the contact.
    pub identity: Identity,
    /// Another way in which the provider writes the contact's number; it leads here too.
    pub other_phone: Option<E164>,
    /// Something was received or accepted for sending. Before that only consent and block are kept.
    pub started: bool,
    /// The 24 hours since the contact's last message or call; `None` if there never was one.
    pub window: Option<Window>,
    /// Who talks.
    pub mode: Mode,
    /// The application that is under way.
    pub run: Option<Box<FlowRun>>,
    /// The contact's consent; `None` while undefined.
    pub consent: Option<Box<ConsentRecord>>,
    /// The tenant blocked the contact.
    pub blocked: bool,
    /// The tenant left the chat.
    pub left: bool,
    /// Everything outgoing is held back.
    pub paused: bool,
    /// Whose conversation it is.
    pub owner: Option<Owner>,
    /// The vacancy it is about; `None` marks a chat without one.
    pub vacancy: Option<Box<Vacancy>>,
    /// Messages for people that nobody has read.
    pub unread: u32,
    /// The contact's newest message: typing and read marks refer to it.
    pub last_received: Option<ProviderId>,
    /// When the bot last said that it did not understand; zero if never.
    pub last_error_reply_at: TimestampMs,
    /// Provider ids that were applied.
    pub seen: Seen,
    /// Statuses that came before we knew their message.
    pub parked: Vec<Parked>,
    /// Messages that wait or are under way, in order; at most the first is under way.
    pub queue: Vec<Outgoing>,
    /// Messages that left, whose statuses are followed.
    pub recent: Vec<Recent>,
    /// The provider's limit per recipient.
    pub pair: PairLimit,
    /// Users besides the owner who are told what the owner is told; few conversations have any.
    pub followers: Option<Box<Followers>>,
}

/// Users who follow a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followers {
    /// In the order in which they began.
    pub users: Vec<UserId>,
}

/// A stored state that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a version that is newer than the next one.
    #[error("snapshot version {0} is not known")]
    Version(u8),
    /// Damaged.
    #[error("snapshot is damaged: {0}")]
    Damaged(String),
}

impl Conversation {
    /// A conversation before its first input.
    #[must_use]
    pub fn new(address: Address) -> Self {
        let identity = match &address.contact {
            ContactKey::Phone(phone) => Identity { phone: Some(*phone), ..Identity::default() },
            ContactKey::Bsuid(bsuid) => Identity { bsuid: Some(bsuid.clone()), ..Identity::default() },
        };
        Self {
            address,
            identity,
            other_phone: None,
            started: false,
            window: None,
            mode: Mode::Bot,
            run: None,
            consent: None,
            blocked: false,
            left: false,
            paused: false,
            owner: None,
            vacancy: None,
            unread: 0,
            last_received: None,
            last_error_reply_at: TimestampMs::default(),
            seen: Seen::default(),
            parked: Vec::new(),
            queue: Vec::new(),
            recent: Vec::new(),
            pair: PairLimit::default(),
            followers: None,
        }
    }

    /// Gives a conversation whose contact was erased a name again; any other keeps its own.
    pub fn meet(&mut self, contact: &ContactKey) {
        if !self.address.contact.names_somebody() && contact.names_somebody() {
            let address = Address { contact: contact.clone(), ..self.address.clone() };
            self.identity = Self::new(address.clone()).identity;
            self.address = address;
        }
    }

    /// Takes the name back that [`Self::meet`] gave, unless they talk by now.
    pub fn part(&mut self, nobody: ContactKey) {
        if !self.started {
            self.address.contact = nobody;
            self.identity = Identity::default();
        }
    }

    /// The stored form: a version byte and postcard.
    ///
    /// # Errors
    /// Never for a state that this crate made; the serializer's signature asks for it.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        postcard::to_extend(self, vec![SNAPSHOT_VERSION])
            .map_err(|error| DecodeError::Damaged(error.to_string()))
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When it is damaged or of a version that is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let read =
            |body: &[u8]| postcard::from_bytes(body).map_err(|error| DecodeError::Damaged(error.to_string()));
        match bytes.split_first() {
            Some((&SNAPSHOT_VERSION, body)) => read(body),
            Some((&WITHOUT_FOLLOWERS, body)) => read(&[body, &[NONE]].concat()),
            Some((&version, _)) => Err(DecodeError::Version(version)),
            None => Err(DecodeError::Damaged("it is empty".into())),
        }
    }

    /// The contact's consent on this channel.
    #[must_use]
    pub fn consent(&self) -> Consent {
        self.consent.as_ref().map_or(Consent::Undefined, |record| record.consent)
    }

    /// Users besides the owner who are told what the owner is told.
    #[must_use]
    pub fn followers(&self) -> &[UserId] {
        self.followers.as_ref().map_or(&[], |followers| &followers.users)
    }

    /// Whether free-form messages are allowed.
    #[must_use]
    pub fn window_open(&self, now: TimestampMs) -> bool {
        self.window.as_ref().is_some_and(|window| window.is_open(now))
    }

    /// The key to ask the store for before this input is applied: it may be a repetition from before the
    /// conversation's own memory reaches. `None` as a rule.
    #[must_use]
    pub fn seen_lookup(&self, happening: &Happening) -> Option<u64> {
        let (key, at) = seen_key(happening)?;
        self.seen.may_have_forgotten(key, at).then_some(key)
    }

    /// The next time at which a [`super::Input::Tick`] would do something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<TimestampMs> {
        timer::next_deadline(self)
    }
}
